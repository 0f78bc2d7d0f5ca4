"""Stores the effects of the workflow's tasks in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from kernel.data.database import Connection, Database
from services.cases.model import ENDED, Case, Step
from services.cases.rows import CASES, read, select_for_update

_ASSIGNING = 0x61737369676E  # "assign"


class TaskStore:
    """Stores the effects of tasks. Raises `Unavailable` when the database is down, and
    `LookupError` for a case that does not exist."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, case: int) -> Case:
        """The case."""
        row = await self._database.row(f"{CASES} WHERE cases.id = $1", case)
        return _found(None if row is None else read(row), case)

    async def enter(self, case: int, step: Step, now: datetime) -> Case:
        """Do the step. Returns the case as it is then."""
        async with self._database.transaction() as connection:
            found = _found(await select_for_update(connection, case), case)
            if await _record(connection, found, step, now):
                closed_at = now if step.state in ENDED else None
                await connection.execute(
                    "UPDATE cases SET closed_at = $2 WHERE id = $1", case, closed_at
                )
            return _found(await select_for_update(connection, case), case)

    async def assign(self, case: int, step: Step, candidates: Sequence[int], now: datetime) -> Case:
        """Do the step, and assign the case to the candidate with the fewest open cases; to nobody
        if there is none."""
        async with self._database.transaction() as connection:
            found = _found(await select_for_update(connection, case), case)
            if await _record(connection, found, step, now):
                await _assign(connection, case, candidates)
            return _found(await select_for_update(connection, case), case)

    async def escalate(
        self, case: int, step: Step, candidates: Sequence[int], now: datetime
    ) -> Case:
        """Do the step, which begins a new round in tier 2, and assign the case likewise. Does
        nothing if the present round has ended with a resolution: it came before the time limit."""
        async with self._database.transaction() as connection:
            found = _found(await select_for_update(connection, case), case)
            resolved = found.answer is not None and found.answer.resolved
            if not resolved and await _record(connection, found, step, now):
                await connection.execute(
                    "UPDATE cases SET tier = 2, round = round + 1 WHERE id = $1", case
                )
                await _assign(connection, case, candidates)
            return _found(await select_for_update(connection, case), case)


async def _record(connection: Connection, case: Case, step: Step, now: datetime) -> bool:
    """Write the step's line of history, and the case's new state and message. False if it has been
    written before, or the case has ended."""
    if case.state in ENDED:
        return False
    recorded = await connection.fetchval(
        """
        INSERT INTO history (case_id, step, at, state, note) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (case_id, step) DO NOTHING RETURNING true
        """,
        case.id,
        step.key,
        now,
        step.state,
        step.note,
    )
    if recorded is None:
        return False
    await connection.execute(
        "UPDATE cases SET state = $2, message = message || $3 WHERE id = $1",
        case.id,
        step.state,
        step.words,
    )
    return True


async def _assign(connection: Connection, case: int, candidates: Sequence[int]) -> None:
    # One at a time: two cases at once would both be assigned to the same person.
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _ASSIGNING)
    await connection.execute(
        """
        UPDATE cases SET assignee = (
            SELECT candidate FROM unnest($2::bigint[]) AS candidate
            LEFT JOIN cases AS theirs ON theirs.assignee = candidate AND theirs.id <> $1
                AND theirs.state NOT IN ('closed', 'failed')
            GROUP BY candidate ORDER BY count(theirs.id), candidate LIMIT 1
        ) WHERE id = $1
        """,
        case,
        candidates,
    )


def _found(case: Case | None, number: int) -> Case:
    if case is None:
        raise LookupError(f"There is no case {number}.")
    return case
