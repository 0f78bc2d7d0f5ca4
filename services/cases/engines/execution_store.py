"""The embedded engine's executions in the database of cases."""

import json
from datetime import datetime
from typing import Final

from kernel.data.database import Connection, Database
from workflow.record import Execution
from workflow.transition import Happened, Transition
from workflow.values import Json

CHANNEL: Final = "case_executions"
"""NOTIFY channel: an execution is due now. The payload is empty."""


class ExecutionStore:
    """Reads and writes executions. Each method takes the connection of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, connection: Connection, case: int, transition: Transition, due: datetime
    ) -> None:
        """Store a new execution, unless the case has one."""
        created = await connection.fetchval(
            "INSERT INTO executions (case_id, record, due_at) VALUES ($1, $2, $3)"
            " ON CONFLICT (case_id) DO NOTHING RETURNING true",
            case,
            json.dumps(transition.execution.to_json()),
            due,
        )
        if created:
            await self._append(connection, case, transition, due)

    async def claim(self, connection: Connection, now: datetime) -> tuple[int, Execution] | None:
        """The case and the execution that has been due for longest, locked. Skips executions that
        another process has locked. None if no other is due."""
        row = await connection.fetchrow(
            "SELECT case_id, record FROM executions WHERE due_at <= $1"
            " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED",
            now,
        )
        return None if row is None else (row["case_id"], _execution(row["record"]))

    async def select_for_update(self, connection: Connection, case: int) -> Execution | None:
        """A case's execution, locked."""
        record = await connection.fetchval(
            "SELECT record FROM executions WHERE case_id = $1 FOR UPDATE", case
        )
        return None if record is None else _execution(record)

    async def save(
        self,
        connection: Connection,
        case: int,
        transition: Transition,
        now: datetime,
        due: datetime | None,
    ) -> None:
        """Store an execution's new state, and when it is due next."""
        await connection.execute(
            "UPDATE executions SET record = $2, due_at = $3 WHERE case_id = $1",
            case,
            json.dumps(transition.execution.to_json()),
            due,
        )
        await self._append(connection, case, transition, now)

    async def set_due(self, connection: Connection, case: int, due: datetime | None) -> None:
        """Set when the execution is due next; None is never."""
        await connection.execute("UPDATE executions SET due_at = $2 WHERE case_id = $1", case, due)

    async def notify(self, connection: Connection) -> None:
        """Wake the engines when the transaction commits."""
        await connection.execute(f"NOTIFY {CHANNEL}")

    async def next_due(self) -> datetime | None:
        """When the next execution is due; None if none is scheduled."""
        row = await self._database.row("SELECT min(due_at) AS due FROM executions")
        return None if row is None else row["due"]

    async def history(self, case: int) -> list[Happened]:
        """The history of a case's execution, in order."""
        rows = await self._database.rows(
            "SELECT type, state, details FROM execution_events WHERE case_id = $1"
            " ORDER BY transition, position",
            case,
        )
        return [Happened(row["type"], row["state"], json.loads(row["details"])) for row in rows]

    async def _append(
        self, connection: Connection, case: int, transition: Transition, now: datetime
    ) -> None:
        number = transition.execution.number
        await connection.executemany(
            "INSERT INTO execution_events"
            " (case_id, transition, position, at, type, state, details)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [
                (case, number, position, now, one.type, one.state, json.dumps(one.details))
                for position, one in enumerate(transition.history)
            ],
        )


def _execution(record: str) -> Execution:
    found: dict[str, Json] = json.loads(record)
    return Execution.from_json(found)
