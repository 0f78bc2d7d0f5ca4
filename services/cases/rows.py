"""Reads cases from PostgreSQL."""

from typing import Final

import asyncpg

from kernel.data.database import Connection
from services.cases.model import Case, Decision, Event

CASES: Final = """
    SELECT cases.*, first.reason, first.note, named.reporters, happened.history, decided.decision,
        coalesce(decided.round, 0) AS decided_round
    FROM cases
    CROSS JOIN LATERAL (
        SELECT reason, note FROM reports WHERE case_id = cases.id ORDER BY id LIMIT 1
    ) AS first
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(reporter ORDER BY id), '{}') AS reporters FROM (
            SELECT reporter, id FROM reports
            WHERE case_id = cases.id AND reporter IS NOT NULL ORDER BY id LIMIT 100
        ) AS earliest
    ) AS named
    LEFT JOIN LATERAL (
        SELECT round, (resolved, action, note, decided_by, decided_at) AS decision
        FROM decisions WHERE case_id = cases.id ORDER BY round DESC LIMIT 1
    ) AS decided ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg((at, state, by, note) ORDER BY id), '{}') AS history FROM (
            SELECT * FROM history WHERE case_id = cases.id ORDER BY id DESC LIMIT 100
        ) AS latest
    ) AS happened
"""
"""Selects cases; `read` reads its rows. A case has the 100 earliest reporters and the 100 latest
events."""


def read(row: asyncpg.Record) -> Case:
    """The case of a row of `CASES`."""
    values = dict(row)
    if values["decision"] is not None:
        values["decision"] = Decision(*values["decision"])
    values["history"] = [Event(*event) for event in values["history"]]
    return Case(**values)


async def select_for_update(connection: Connection, case: int) -> Case | None:
    """The case, which nobody else can change until the transaction ends, or None."""
    if await connection.fetchval("SELECT true FROM cases WHERE id = $1 FOR UPDATE", case) is None:
        return None
    row = await connection.fetchrow(f"{CASES} WHERE cases.id = $1", case)
    assert row is not None  # noqa: S101 - the row is locked
    return read(row)
