"""Snapshots of all databases at one moment.

Each context has a database of its own, and PostgreSQL's snapshots cover one. So writes wait for a
moment: all tables of all databases are locked against writes, a snapshot is taken in each, and the
locks are released. Between the first and the last snapshot no transaction commits, so together they
are a state that the board was in: the one that a power failure at that moment would have left.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import asyncpg

from board.tables import REVISIONS, Connection, tables_of

_ATTEMPTS: Final = 30
_PAUSE: Final = 0.5
# Longer than PostgreSQL's deadlock_timeout (1 s), after which it cancels an autovacuum in the way;
# shorter than the services' patience with a statement.
_LOCK_TIMEOUT: Final = "1500ms"


@asynccontextmanager
async def snapshots(databases: Mapping[str, str]) -> AsyncIterator[Mapping[str, Connection]]:
    """A connection to each database, in a read-only transaction; all see the same moment.

    Raises `TimeoutError` if the tables can't be locked because long transactions use them, and
    asyncpg's errors.
    """
    async with AsyncExitStack() as stack:
        readers: dict[str, Connection] = {}
        for context, url in databases.items():
            connection = readers[context] = await asyncpg.connect(url, timeout=10)
            stack.push_async_callback(connection.close)
        for _ in range(_ATTEMPTS):
            try:
                async with _no_writes(databases):
                    for connection in readers.values():
                        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                        # The snapshot is taken by the first statement.
                        await connection.fetchval("SELECT 1")
                break
            except* (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                # The writers that waited for the locks go first.
                await asyncio.sleep(_PAUSE)
        else:
            raise TimeoutError("A long transaction did not let the tables be locked; try later.")
        yield readers


@asynccontextmanager
async def _no_writes(databases: Mapping[str, str]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        async with asyncio.TaskGroup() as locking:
            for url in databases.values():
                locking.create_task(_lock(url, stack))
        yield


async def _lock(url: str, stack: AsyncExitStack) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    # Closing the connection ends its transaction, and with it the locks.
    stack.push_async_callback(connection.close)
    names = [f'public."{table.name}"' for table in await tables_of(connection)]
    await connection.execute(f"BEGIN; SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
    await connection.execute(
        f"LOCK TABLE {', '.join([*names, f'public.{REVISIONS}'])} IN SHARE MODE"
    )
