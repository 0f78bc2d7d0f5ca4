"""Cases in PostgreSQL."""

from collections.abc import Sequence

import asyncpg

from kernel.data.database import LARGEST_ID, Database
from kernel.data.paging import Cursor, Page, page
from services.cases.model import Case, Decision, Event, State

SCHEMA = "0002"
"""The migration that this code needs."""


class CaseStore:
    """Reads cases. Raises `Unavailable` when the database is down, and `MalformedRequest` for a
    cursor of another list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, case: int) -> Case | None:
        """The case, or None."""
        row = await self._database.row(f"{CASES} WHERE cases.id = $1", case)
        return None if row is None else read(row)

    async def list(
        self, states: Sequence[State], reporter: int | None, limit: int, after: str | None
    ) -> Page[Case]:
        """Cases in one of these states, the newest first: all, or those that a user has reported
        to."""
        kind = f"cases-{'-'.join(states)}-{reporter or 'all'}"
        rows = await self._database.rows(
            f"""
            {CASES} WHERE cases.state = ANY($1) AND cases.id < $2
                AND ($3::bigint IS NULL OR cases.id IN (
                    SELECT case_id FROM reports WHERE reporter = $3
                ))
            ORDER BY cases.id DESC LIMIT $4
            """,  # noqa: S608 - the constant below
            states,
            LARGEST_ID if after is None else Cursor.decode(after, kind, 1).keys[0],
            reporter,
            limit + 1,
        )
        return page([read(row) for row in rows], limit, kind, lambda case: (case.id,))


CASES = """
    SELECT cases.*, first.reason, first.note, decided.decision, told.reporters, happened.history
    FROM cases
    CROSS JOIN LATERAL (
        SELECT reason, note FROM reports WHERE case_id = cases.id ORDER BY id LIMIT 1
    ) AS first
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(reporter ORDER BY id), '{}') AS reporters FROM (
            SELECT reporter, id FROM reports
            WHERE case_id = cases.id AND reporter IS NOT NULL ORDER BY id LIMIT 100
        ) AS earliest
    ) AS told
    LEFT JOIN LATERAL (
        SELECT (resolved, action, note, decided_by, decided_at) AS decision
        FROM decisions WHERE case_id = cases.id ORDER BY round DESC LIMIT 1
    ) AS decided ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg((at, state, by, note) ORDER BY id), '{}') AS history
        FROM history WHERE case_id = cases.id
    ) AS happened
"""
"""Selects cases; `read` reads its rows. At most 100 reporters are shown, the earliest."""


def read(row: asyncpg.Record) -> Case:
    """The case of a row of `CASES`."""
    values = dict(row)
    if values["decision"] is not None:
        values["decision"] = Decision(*values["decision"])
    values["history"] = [Event(*event) for event in values["history"]]
    return Case(**values)
