"""One context's PostgreSQL database: a small pool, and `Unavailable` for every kind of outage."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from kernel.data.hanging import HangDetector
from kernel.errors import Unavailable
from kernel.process.spans.tracer import installed

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

FetchRow: TypeAlias = Callable[..., Awaitable[asyncpg.Record | None]]
"""Runs a statement with its arguments, and returns its first row, or None: in a transaction, the
connection's `fetchrow`; otherwise, the database's `row` or `write`."""

LARGEST_ID = 2**63 - 1
"""The largest value of a `bigint` column."""

ACQUIRE_TIMEOUT = 0.9
"""Seconds for getting a connection: a client must have its answer within a second, also while the
server does not answer."""

COMMAND_TIMEOUT = 10.0
"""Seconds for a statement: a large search is slow. If the server answers nothing at all, a
statement fails within a second (`kernel.data.hanging`)."""

_ASK_TIMEOUT = 5.0

_DOWN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,  # the connection was lost, or the pool is closing
    asyncpg.InternalClientError,  # the server was killed while it was sending
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.OperatorInterventionError,  # class 57: shutting down, starting up, cancelled
    asyncpg.InsufficientResourcesError,  # class 53: too many connections, disk full
    asyncpg.InvalidAuthorizationSpecificationError,  # class 28: the role or its password
    asyncpg.InvalidCatalogNameError,  # 3D000: not bootstrapped yet
    asyncpg.UndefinedTableError,  # 42P01: not migrated yet
    asyncpg.UndefinedColumnError,  # 42703: the same
    asyncpg.ReadOnlySQLTransactionError,  # 25006: this server is a standby now
    asyncpg.SerializationError,  # 40001, and 40P01 for a deadlock: succeeds when repeated
    asyncpg.DeadlockDetectedError,
)


AfterCommit = Callable[[], Awaitable[None]]
"""Called after each committed write, which waits for it."""


async def _nothing() -> None:
    pass


class _Connection(asyncpg.Connection):
    """A connection that is not reset when it returns to the pool.

    asyncpg would send a query for it, which takes half of PostgreSQL's time for a small read.
    There is nothing to reset: an open transaction is rolled back anyway, and the board's statements
    change nothing that outlives their transaction. Do not use `SET`, `LISTEN`, session locks or
    cursors `WITH HOLD` on connections of this pool.
    """

    def get_reset_query(self) -> str:
        """An empty query, so asyncpg sends nothing."""
        return ""


def _on_new_connection() -> (
    "Callable[[asyncpg.Connection[asyncpg.Record]], Coroutine[Any, Any, None]] | None"
):
    tracing = installed()
    if tracing is None:
        return None
    from kernel.process.spans.statements import follow_with  # imports OpenTelemetry

    return follow_with(tracing.tracer)


async def _answers(url: str) -> bool:
    """Whether the server answers an attempt to connect, if only with a refusal."""
    try:
        connection = await asyncpg.connect(url, timeout=_ASK_TIMEOUT)
    except asyncpg.PostgresError:
        return True
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        return False
    connection.terminate()
    return True


@dataclass(frozen=True, slots=True)
class PoolUse:
    """Connections in use, idle and at most; tasks that wait for one; how often PostgreSQL did not
    answer."""

    used: int
    idle: int
    most: int
    waiting: int
    failed: int


class Database:
    """A pool of at most `size` connections, opened when first needed and closed after four idle
    minutes, so that a database that pauses when idle can do so. It recovers by itself after an
    outage."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        acquire_timeout: float,
        detector: HangDetector,
    ) -> None:
        self._pool = pool
        self._acquire_timeout = acquire_timeout
        self._detector = detector
        self._after_commit: AfterCommit = _nothing
        self._waiting = 0
        self._failed = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        size: int = 5,
        acquire_timeout: float = ACQUIRE_TIMEOUT,
        command_timeout: float = COMMAND_TIMEOUT,
    ) -> AsyncIterator["Database"]:
        """The database at a `postgresql://` URL. Succeeds even if the server is down. The timeouts
        are in seconds, for getting a connection and for each statement."""
        pool = asyncpg.create_pool(
            url,
            min_size=0,
            max_size=size,
            max_inactive_connection_lifetime=240,
            timeout=acquire_timeout,
            command_timeout=command_timeout,
            connection_class=_Connection,
            init=_on_new_connection(),
        )
        await pool

        async def ask() -> bool:
            return await _answers(url)

        detector = HangDetector(ask)
        try:
            yield cls(pool, acquire_timeout, detector)
        finally:
            if detector.hangs:
                pool.terminate()
            else:
                await pool.close()
            await detector.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in autocommit mode."""
        try:
            connection = await self._acquire()
            self._detector.begin(connection)
            answered = False
            try:
                yield connection
                answered = True
            finally:
                try:
                    await self._pool.release(connection, timeout=COMMAND_TIMEOUT)
                finally:
                    self._detector.end(connection, answered=answered)
        except _DOWN as error:
            self._failed += 1
            raise Unavailable("The database does not answer. Try again shortly.") from error

    async def _acquire(self) -> Connection:
        if self._detector.hangs:
            raise TimeoutError
        # An idle connection is available at once: a timeout would only cost time.
        if self._pool.get_idle_size():
            return await self._pool.acquire()
        self._waiting += 1
        try:
            async with self._detector.waiting(self._acquire_timeout):
                return await self._pool.acquire()
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction, which commits when the block ends and rolls back when it
        raises. Call other contexts before it, never inside it."""
        async with self.connection() as connection, connection.transaction():
            yield connection
        await self._after_commit()

    async def write(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        """Run one writing statement as a transaction. Returns its first row, or None."""
        row = await self.row(query, *arguments)
        await self._after_commit()
        return row

    @property
    def use(self) -> PoolUse:
        """How the pool is used now."""
        idle = self._pool.get_idle_size()
        used = self._pool.get_size() - idle
        return PoolUse(used, idle, self._pool.get_max_size(), self._waiting, self._failed)

    def after_commit(self, wait: AfterCommit) -> None:
        """Call `wait` after each committed write, so that clients can read their own writes."""
        self._after_commit = wait

    async def rows(self, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """Every row of one statement."""
        async with self.connection() as connection:
            return await connection.fetch(query, *arguments)

    async def row(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        """The first row of one statement, or None."""
        async with self.connection() as connection:
            return await connection.fetchrow(query, *arguments)

    async def check_schema(self, revision: str) -> None:
        """Raises `Unavailable` unless the database answers and its migrations have reached
        `revision`, a number with a fixed width. The database may be ahead of the code, because a
        migration never breaks the previous version of the code."""
        row = await self.row("SELECT version_num FROM alembic_version")
        if row is None or row["version_num"] < revision:
            raise Unavailable(f"The database's migrations have not reached {revision}.")
