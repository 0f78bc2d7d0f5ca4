"""Finds the newest rows that match a query, with bounded work for each page."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from kernel.data.database import LARGEST_ID, Connection, Database
from kernel.data.paging import LARGEST_PAGE, Cursor, page
from kernel.errors import Unavailable
from kernel.search.blocks import BLOCK, EXPRESSION, cover
from kernel.search.dictionary import Dictionary
from kernel.search.query import parse

_FIRST, _LARGEST = 4 * BLOCK, 1 << 26
_QUICK, _SLOW = 0.01, 0.04


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of searches. `at_once` of them run concurrently per process and database, so that
    the pool's other connections remain for other requests; another one waits up to `patience`
    seconds. After `budget` seconds, the page is returned as it is, with a cursor to continue. A
    step takes at most `step` milliseconds, or `smallest_step` if it cannot be made smaller."""

    at_once: int = 2
    patience: float = 2.0
    budget: float = 0.05
    step: int = 75
    smallest_step: int = 2_000


@dataclass(frozen=True, slots=True)
class Searched:
    """The table to search: its rows that are `visible`, by the column `search`. `columns` are read.
    `size` is an SQL expression for their minimum size in bytes, which PostgreSQL knows without
    reading them, and `weigh` returns a row's size in JSON in bytes."""

    table: str
    columns: str
    visible: str
    size: str = "0"
    weigh: Callable[[asyncpg.Record], int] | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """Rows, the newest first, and the cursor to continue; None at the end. There may be fewer rows
    than requested, or none, although there are more to come.

    `positions` of a row are the numbers, from 1, of the matching words in its text.
    """

    rows: Sequence[asyncpg.Record]
    next_cursor: str | None


class Scan:
    """Searches one table from its newest rows to the oldest, in steps of as many ids as take a few
    milliseconds. For a rare word the steps grow, so that it is found within one page among ten
    million rows; a common word fills the page in the first step."""

    def __init__(
        self,
        database: Database,
        dictionary: Dictionary,
        searched: Searched,
        bounds: Bounds | None = None,
    ) -> None:
        self._database = database
        self._dictionary = dictionary
        self._bounds = bounds or Bounds()
        self._running = asyncio.Semaphore(self._bounds.at_once)
        self._name = searched.table
        self._weigh = searched.weigh
        self._newest = f"SELECT max(id) FROM {searched.table}"  # noqa: S608 - constants of the code
        self.statement = _STEP.format(
            table=searched.table,
            columns=searched.columns,
            visible=searched.visible,
            size=searched.size,
            largest=LARGEST_PAGE,
            blocks=EXPRESSION,
        )
        """The statement of one step; its arguments are the query, the words, the blocks, the id
        below which to search, and the number of rows."""

    async def find(self, words: str, limit: int, after: str | None) -> Hits:
        """At most `limit` matching rows. Raises `MalformedRequest` for a cursor of another search,
        and `Unavailable` if the database is down, too many searches are running, or this one takes
        too long."""
        kind = f"{self._name}-{hashlib.blake2b(words.encode(), digest_size=8).hexdigest()}"
        below, step = LARGEST_ID, _FIRST
        if after is not None:
            below, step = Cursor.decode(after, kind, 2).keys
            step = min(max(step // BLOCK * BLOCK, BLOCK), _LARGEST)
        async with self._turn(), self._database.connection() as connection:
            query = parse(words)
            prefixes = query.prefixes
            expansions = await self._dictionary.expand(connection, prefixes) if prefixes else {}
            tsquery = query.tsquery(expansions)
            if not tsquery:
                return Hits([], None)
            newest = await connection.fetchval(self._newest) or 0
            progress = _Progress(min(below, newest + 1), step)
            await self._scan(connection, tsquery, query.words(expansions), limit, progress)
        found = page(
            progress.rows, limit, kind, lambda row: (row["id"], progress.step), self._weigh
        )
        if found.next_cursor is None and progress.below > 1:
            return Hits(found.items, Cursor(kind, (progress.below, progress.step)).encode())
        return Hits(found.items, found.next_cursor)

    async def _scan(
        self, connection: Connection, tsquery: str, words: str, limit: int, progress: "_Progress"
    ) -> None:
        began = time.monotonic()
        patience, first = self._bounds.step, True
        while progress.below > 1 and not progress.full(limit):
            started = time.monotonic()
            if started - began > self._bounds.budget and not first:
                return
            high = -(-progress.below // BLOCK) * BLOCK
            low = max(high - progress.step, 0)
            try:
                async with connection.transaction(readonly=True):
                    await connection.execute(_SETTINGS.format(patience))
                    found = await connection.fetch(
                        self.statement,
                        tsquery,
                        words,
                        cover(low, high),
                        progress.below,
                        limit + 1 - len(progress.rows),
                    )
            except asyncpg.QueryCanceledError as error:
                if not first:
                    progress.step = max(progress.step // 16 // BLOCK * BLOCK, BLOCK)
                    return
                if patience == self._bounds.smallest_step:
                    raise Unavailable("This search takes too long. Try other words.") from error
                progress.step, patience = BLOCK, self._bounds.smallest_step
                continue
            progress.rows += found
            if progress.full(limit):
                progress.below = found[-1]["id"]
            else:
                progress.below = low
                progress.adapt(time.monotonic() - started)
            first = False

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._bounds.patience):
                await self._running.acquire()
        except TimeoutError as error:
            raise Unavailable("Too many searches are going on. Try again shortly.") from error
        try:
            yield
        finally:
            self._running.release()


class _Progress:
    """The progress of a search: it has searched every row from the id `below` on, and continues
    with steps of `step` ids."""

    def __init__(self, below: int, step: int) -> None:
        self.below = below
        self.step = step
        self.rows: list[asyncpg.Record] = []

    def full(self, limit: int) -> bool:
        """Whether a full page was found, and one more row, which shows that there is a next
        page."""
        return len(self.rows) > limit or sum(row["size"] for row in self.rows) > LARGEST_PAGE

    def adapt(self, seconds: float) -> None:
        """Adapt the size of steps to the duration of the last one."""
        if seconds < _QUICK:
            self.step = min(self.step * 16, _LARGEST)
        elif seconds > _SLOW:
            self.step = max(self.step // 4 // BLOCK * BLOCK, BLOCK)


# A wrong estimate must not make the planner read the whole table or compile the query.
_SETTINGS = """
    SET LOCAL statement_timeout = '{}'; SET LOCAL enable_seqscan = off; SET LOCAL jit = off;
    SET LOCAL max_parallel_workers_per_gather = 0
"""

# MATERIALIZED: otherwise the planner may scan ids from the newest down, expecting to find matches
# soon.
_STEP = """
    WITH found AS MATERIALIZED (
        SELECT id FROM {table}
        WHERE search @@ to_tsquery('english', $1) AND {blocks} && $3::bigint[] AND {visible}
    )
    SELECT {columns}, size,
        CASE WHEN indexed_at IS NOT DISTINCT FROM coalesce(edited_at, created_at) THEN ARRAY(
            SELECT unnest(positions) FROM unnest(search)
            WHERE lexeme = ANY(tsvector_to_array(to_tsvector('english', $2))) ORDER BY 1
        ) ELSE '{{}}' END AS positions
    FROM (
        SELECT *, sum(size) OVER (ORDER BY id DESC) - size AS before
        FROM (
            SELECT *, {size} AS size FROM {table}
            WHERE id IN (SELECT id FROM found WHERE id < $4 ORDER BY id DESC LIMIT $5)
        ) AS weighed
    ) AS summed
    WHERE before <= {largest} ORDER BY id DESC
"""
