"""Puts restored data in the place of the old, in all databases, or in none.

A restore fills a schema beside `public`, and marks it with its own number when it is complete. Then
the schemas are swapped, in one transaction for each database. If the process ends between two of
these, the marks say so, and the rest is swapped by the next command.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import asyncpg

from board.tables import Connection

STAGING: Final = "board_restore"
"""The schema that a restore fills."""

APPLICATION: Final = "board migrate"
"""The name under which PostgreSQL lists the connections of whatever has the migration lock."""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection whose name is APPLICATION, closed at the end."""
    connection = await asyncpg.connect(
        url, timeout=10, server_settings={"application_name": APPLICATION}
    )
    try:
        yield connection
    finally:
        await connection.close()


async def mark_complete(connection: Connection, number: str) -> None:
    """Mark the staging schema as complete. `number` identifies the restore: hexadecimal digits."""
    if not number.isalnum():
        raise ValueError(f"{number!r} is no number of a restore")
    await connection.execute(f"COMMENT ON SCHEMA {STAGING} IS 'restore {number}'")


async def swap(databases: Mapping[str, str]) -> None:
    """Let each database's staging schema replace its `public`. All staging schemas must be
    complete."""
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(connected(url)) for url in databases.values()]
        for connection in opened:
            await connection.execute(
                f"BEGIN; SET LOCAL lock_timeout = '10s'; DROP SCHEMA public CASCADE; "
                f"ALTER SCHEMA {STAGING} RENAME TO public"
            )
        # Nothing that takes long is left to do, and nothing that can be refused.
        for connection in opened:
            await connection.execute("COMMIT")


async def interrupted(databases: Mapping[str, str]) -> Mapping[str, str]:
    """The databases that a restore, interrupted while it swapped, has left to be swapped.

    One that was interrupted before has changed nothing; its staging schemas stay until the next.
    """
    marks = {}
    for context, url in databases.items():
        async with connected(url) as connection:
            marks[context] = await connection.fetchrow(
                "SELECT obj_description(to_regnamespace('public'), 'pg_namespace') AS public, "
                "obj_description(to_regnamespace($1), 'pg_namespace') AS staged",
                STAGING,
            )
    swapped = {mark["public"] for mark in marks.values() if mark is not None}
    return {
        context: databases[context]
        for context, mark in marks.items()
        if mark is not None and mark["staged"] is not None and mark["staged"] in swapped
    }


async def finish_interrupted(databases: Mapping[str, str]) -> bool:
    """Finish a restore that was interrupted while it swapped. Returns whether there was one."""
    left = await interrupted(databases)
    if left:
        await swap(left)
    return bool(left)
