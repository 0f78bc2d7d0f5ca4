"""The executions that Step Functions runs, in the database of cases."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.data.database import Connection, Database
from services.cases.engines.execution_store import CHANNEL
from workflow.values import Json


@dataclass(frozen=True, slots=True)
class RemoteExecution:
    """A case's execution. `answer` is the output of `Work on Case`, as JSON, that has not been
    sent yet for `token`."""

    case: int
    number: int
    started: bool
    token: str | None
    answer: str | None

    @property
    def name(self) -> str:
        """The execution's name in Step Functions."""
        return f"case-{self.case}-{self.number}"


class RemoteStore:
    """Reads and writes the rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, connection: Connection, case: int, now: datetime) -> None:
        """Schedule the start of an execution, unless the case has one."""
        await connection.execute(
            "INSERT INTO remote_executions (case_id, due_at) VALUES ($1, $2)"
            " ON CONFLICT (case_id) DO NOTHING",
            case,
            now,
        )
        await connection.execute(f"NOTIFY {CHANNEL}")

    async def answer(self, connection: Connection, case: int, output: Json, now: datetime) -> None:
        """Store the answer to send, if the case waits for one."""
        waits = await connection.fetchval(
            "UPDATE remote_executions SET answer = $2, due_at = $3"
            " WHERE case_id = $1 AND token IS NOT NULL AND due_at IS NOT NULL RETURNING true",
            case,
            json.dumps(output),
            now,
        )
        if waits:
            await connection.execute(f"NOTIFY {CHANNEL}")

    async def claim(self, now: datetime, lease: timedelta) -> RemoteExecution | None:
        """The execution that has been due for longest, due again when the lease is over; None if
        none is due."""
        row = await self._database.row(
            """
            UPDATE remote_executions SET due_at = $2 WHERE case_id = (
                SELECT case_id FROM remote_executions WHERE due_at <= $1
                ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            RETURNING case_id, number, started, token, answer
            """,
            now,
            now + lease,
        )
        if row is None:
            return None
        return RemoteExecution(
            row["case_id"], row["number"], row["started"], row["token"], row["answer"]
        )

    async def give_up(self, connection: Connection, overdue: datetime) -> list[int]:
        """The cases whose executions were due at `overdue` or before; they are no longer."""
        rows = await connection.fetch(
            "UPDATE remote_executions SET due_at = NULL, token = NULL, answer = NULL"
            " WHERE due_at <= $1 RETURNING case_id",
            overdue,
        )
        return [row["case_id"] for row in rows]

    async def next_due(self) -> datetime | None:
        """When the next execution is due; None if none is scheduled."""
        row = await self._database.row("SELECT min(due_at) AS due FROM remote_executions")
        return None if row is None else row["due"]

    async def is_open(self, case: int) -> bool:
        """Whether Step Functions runs the case, and has not ended."""
        row = await self._database.row(
            "SELECT FROM remote_executions WHERE case_id = $1 AND due_at IS NOT NULL", case
        )
        return row is not None

    async def set_token(self, case: int, token: str) -> None:
        """Store the token of a `Work on Case` that begins to wait."""
        await self._database.row(
            "UPDATE remote_executions SET token = $2, answer = NULL WHERE case_id = $1",
            case,
            token,
        )

    async def sent(self, execution: RemoteExecution, due: datetime) -> None:
        """Forget the answer: it has been sent, or the execution no longer waits for it."""
        await self._database.row(
            "UPDATE remote_executions SET token = NULL, answer = NULL, due_at = $3"
            " WHERE case_id = $1 AND token = $2",
            execution.case,
            execution.token,
            due,
        )

    async def started(self, execution: RemoteExecution, due: datetime) -> None:
        """Record that the execution runs, to be checked again at `due`."""
        await self._database.row(
            "UPDATE remote_executions SET started = true, due_at = least(due_at, $2)"
            " WHERE case_id = $1",
            execution.case,
            due,
        )

    async def look_again(self, execution: RemoteExecution, due: datetime | None) -> None:
        """Set when to check the execution again; None if it has ended. A decision made in the
        meantime is handled first."""
        await self._database.row(
            "UPDATE remote_executions SET due_at = $2 WHERE case_id = $1 AND answer IS NULL",
            execution.case,
            due,
        )

    async def lost(self, execution: RemoteExecution, now: datetime) -> None:
        """Start the next execution of the case."""
        await self._database.row(
            "UPDATE remote_executions"
            " SET number = number + 1, started = false, token = NULL, answer = NULL, due_at = $3"
            " WHERE case_id = $1 AND number = $2",
            execution.case,
            execution.number,
            now,
        )
