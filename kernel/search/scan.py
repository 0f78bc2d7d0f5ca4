"""Finds the newest rows that have the words, with bounded work for each page."""

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
    """What searches may take. `at_once` of them run in one process and database, so that the other
    connections of the pool are for pages; another waits `patience` seconds for its turn. After
    `budget` seconds a page is returned as it is, with a cursor that goes on from there. One step
    takes `step` milliseconds at most, and `smallest_step` when it can't be made smaller."""

    at_once: int = 2
    patience: float = 2.0
    budget: float = 0.05
    step: int = 75
    smallest_step: int = 2_000


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched: the rows of `table` that are `visible`, by its column `search`. `columns`
    are those that are read; `size` is an expression of how many bytes they have at least, known
    without reading them, and `weigh` says how many bytes a row has as JSON."""

    table: str
    columns: str
    visible: str
    size: str = "0"
    weigh: Callable[[asyncpg.Record], int] | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """Rows, the newest first, and the cursor from which the search goes on; None at the end. There
    may be fewer rows than were asked for, or none, though there are more to come.

    `positions` of a row are the numbers of the words that were searched for in its text, from 1.
    """

    rows: Sequence[asyncpg.Record]
    next_cursor: str | None


class Scan:
    """Searches one table from its newest rows to the oldest, in steps of as many ids as a few
    milliseconds are enough for, whatever the words. A rare word makes the steps larger, so that it
    is found in one page among ten million rows; a common one fills the page in the first step."""

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
        below which to look, and the number of rows."""

    async def find(self, words: str, limit: int, after: str | None) -> Hits:
        """At most `limit` rows that have the words. Raises `MalformedRequest` for a cursor of
        another search, and `Unavailable` when the database is down, too many searches are going on
        or one took longer than it may."""
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
    """How far a search has come: it has looked at every row from the id `below` on, and goes on in
    steps of `step` ids."""

    def __init__(self, below: int, step: int) -> None:
        self.below = below
        self.step = step
        self.rows: list[asyncpg.Record] = []

    def full(self, limit: int) -> bool:
        """Whether a page has been found, and what shows that there is a next one."""
        return len(self.rows) > limit or sum(row["size"] for row in self.rows) > LARGEST_PAGE

    def adapt(self, seconds: float) -> None:
        """A step took so long."""
        if seconds < _QUICK:
            self.step = min(self.step * 16, _LARGEST)
        elif seconds > _SLOW:
            self.step = max(self.step // 4 // BLOCK * BLOCK, BLOCK)


# A wrong estimate must not make the planner read the table, or compile the query.
_SETTINGS = """
    SET LOCAL statement_timeout = '{}'; SET LOCAL enable_seqscan = off; SET LOCAL jit = off;
    SET LOCAL max_parallel_workers_per_gather = 0
"""

# MATERIALIZED: the planner would otherwise look through the ids from the newest down, and hope to
# find what has the words soon.
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
