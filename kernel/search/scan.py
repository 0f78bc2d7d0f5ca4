"""Finds the newest rows that match a query, with bounded work for each page."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from kernel.data.database import LARGEST_ID, Connection, Database
from kernel.data.paging import LARGEST_PAGE, Cursor, page
from kernel.errors import Unavailable
from kernel.search.blocks import BLOCK, EXPRESSION, cover
from kernel.search.dictionary import Dictionary
from kernel.search.query import parse

_LARGEST = 1 << 26
_INTENDED = 0.02
"""Seconds that a step should take."""
_MOST_GROWTH = 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of searches. `at_once` steps run concurrently per process and database, so that
    the pool's other connections and the other cores remain for other requests. Searches take turns
    after each step. The first step waits up to `patience` seconds for its turn; the others begin
    only within `budget` seconds after the search has begun, waiting included. Then the page is
    returned as it is, with a cursor to continue. A step takes at most `step` milliseconds, or
    `smallest_step` if it cannot be made smaller."""

    at_once: int = 1
    patience: float = 2.0
    budget: float = 0.1
    step: int = 40
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
    million rows; a common word fills the page in the first step. A page whose smallest step by the
    index of words takes too long reads its rows instead."""

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
        self._begin = _BEGIN.format(table=searched.table)
        self.statement = _statement(searched, _BY_INDEX)
        """The statement of one step; its arguments are the query, the words, the blocks, the id
        below which to search, and the number of rows."""
        self.reading = _statement(searched, _BY_READING)
        """The same without the index of words; the third argument is the lowest id to search."""

    async def find(self, words: str, limit: int, after: str | None) -> Hits:
        """At most `limit` matching rows. Raises `MalformedRequest` for a cursor of another search,
        and `Unavailable` if the database is down, too many searches are running, or this one takes
        too long."""
        kind = f"{self._name}-{hashlib.blake2b(words.encode(), digest_size=8).hexdigest()}"
        below, step = LARGEST_ID, BLOCK
        if after is not None:
            below, step = Cursor.decode(after, kind, 2).keys
            step = min(max(step // BLOCK * BLOCK, BLOCK), _LARGEST)
        deadline = time.monotonic() + self._bounds.budget
        async with self._turn(self._bounds.patience) as connection:
            if connection is None:
                raise Unavailable("Too many searches are going on. Try again shortly.")
            asked = await self._ask(connection, words)
            if not asked.tsquery:
                return Hits([], None)
            begin = await connection.fetchrow(self._begin, asked.tsquery)
            assert begin is not None  # noqa: S101 - one row
            progress = _Progress(min(below, begin["newest"] + 1), step, begin["by_index"])
            if progress.below > 1:
                await self._first_step(connection, asked, limit, progress)
        while progress.below > 1 and not progress.full(limit):
            async with self._turn(deadline - time.monotonic()) as connection:
                if connection is None:
                    break
                await self._next_step(connection, asked, limit, progress)
        found = page(
            progress.rows, limit, kind, lambda row: (row["id"], progress.step), self._weigh
        )
        if found.next_cursor is None and progress.below > 1:
            return Hits(found.items, Cursor(kind, (progress.below, progress.step)).encode())
        return Hits(found.items, found.next_cursor)

    async def _ask(self, connection: Connection, words: str) -> "_Asked":
        query = parse(words)
        prefixes = query.prefixes
        expansions = await self._dictionary.expand(connection, prefixes) if prefixes else {}
        return _Asked(query.tsquery(expansions), query.words(expansions))

    async def _first_step(
        self, connection: Connection, asked: "_Asked", limit: int, progress: "_Progress"
    ) -> None:
        """Search the next ids, or at least the next block."""
        try:
            await self._step(connection, asked, limit, progress, self._bounds.step)
        except asyncpg.QueryCanceledError:
            progress.read()
            try:
                await self._step(connection, asked, limit, progress, self._bounds.smallest_step)
            except asyncpg.QueryCanceledError as error:
                raise Unavailable("This search takes too long. Try other words.") from error

    async def _next_step(
        self, connection: Connection, asked: "_Asked", limit: int, progress: "_Progress"
    ) -> None:
        """Search the next ids, or make the step smaller."""
        try:
            await self._step(connection, asked, limit, progress, self._bounds.step)
        except asyncpg.QueryCanceledError:
            if progress.step > BLOCK:
                progress.resize(1 / _MOST_GROWTH)
            else:
                progress.read()

    async def _step(
        self,
        connection: Connection,
        asked: "_Asked",
        limit: int,
        progress: "_Progress",
        milliseconds: int,
    ) -> None:
        started = time.monotonic()
        high = -(-progress.below // BLOCK) * BLOCK
        low = max(high - progress.step, 0)
        async with connection.transaction(readonly=True):
            await connection.execute(_SETTINGS.format(milliseconds))
            found = await connection.fetch(
                self.statement if progress.by_index else self.reading,
                *asked,
                cover(low, high) if progress.by_index else low,
                progress.below,
                limit + 1 - len(progress.rows),
            )
        progress.rows += found
        if progress.full(limit):
            progress.below = found[-1]["id"]
        else:
            progress.below = low
            progress.resize(_INTENDED / (time.monotonic() - started))

    @asynccontextmanager
    async def _turn(self, seconds: float) -> AsyncIterator["Connection | None"]:
        """A connection for one step, or None if it is not available within so many seconds."""
        if seconds <= 0:
            yield None
            return
        try:
            async with asyncio.timeout(seconds):
                await self._running.acquire()
        except TimeoutError:
            yield None
            return
        try:
            async with self._database.connection() as connection:
                yield connection
        finally:
            self._running.release()


class _Asked(NamedTuple):
    """What a search asks PostgreSQL for: its query, and all words that may match."""

    tsquery: str
    words: str


class _Progress:
    """The progress of a search: it has searched every row from the id `below` on, and continues
    with steps of `step` ids, by the index of words or by reading all rows."""

    def __init__(self, below: int, step: int, by_index: bool) -> None:
        self.below = below
        self.step = step
        self.by_index = by_index
        self.rows: list[asyncpg.Record] = []

    def full(self, limit: int) -> bool:
        """Whether a full page was found, and one more row, which shows that there is a next
        page."""
        return len(self.rows) > limit or sum(row["size"] for row in self.rows) > LARGEST_PAGE

    def read(self) -> None:
        """Read all rows from now on, at first those of one block."""
        self.by_index = False
        self.step = BLOCK

    def resize(self, factor: float) -> None:
        """Multiply the size of steps, up to the largest growth, and round it."""
        step = min(max(int(self.step * min(factor, _MOST_GROWTH)), BLOCK), _LARGEST)
        self.step = 1 << step.bit_length() - 1


# A wrong estimate must not make the planner read the whole table or compile the query. The plan
# is the same for all arguments, so making it again would only cost time.
_SETTINGS = """
    SET LOCAL statement_timeout = '{}'; SET LOCAL enable_seqscan = off; SET LOCAL jit = off;
    SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL plan_cache_mode = force_generic_plan
"""

# `querytree` is T if rows match without any of the words, as with `-bread`. GIN would read all of
# the index, which the timeout does not cancel.
_BEGIN = """
    SELECT coalesce((SELECT max(id) FROM {table}), 0) AS newest,
        querytree(to_tsquery('english', $1)) <> 'T' AS by_index
"""

# GIN reads the lists of all words of a query up to the first row that matches it, before it looks
# at the blocks. So thirty frequent words that no row has together take seconds, however small the
# step is; then the rows are read instead.
_BY_INDEX = "{table} WHERE {blocks} && $3::bigint[] AND"
_BY_READING = "(SELECT * FROM {table} WHERE id >= $3 AND id < $4 OFFSET 0) AS {table} WHERE"

# MATERIALIZED: otherwise the planner may scan ids from the newest down, expecting to find matches
# soon. `asked` is computed once; otherwise, each row would parse the words again.
_STEP = """
    WITH asked AS MATERIALIZED (
        SELECT to_tsquery('english', $1) AS query,
            tsvector_to_array(to_tsvector('english', $2)) AS lexemes
    ),
    found AS MATERIALIZED (
        SELECT id FROM {rows} search @@ (SELECT query FROM asked) AND {visible}
    )
    SELECT {columns}, size,
        CASE WHEN indexed_at IS NOT DISTINCT FROM coalesce(edited_at, created_at) THEN ARRAY(
            SELECT unnest(positions) FROM unnest(search)
            WHERE lexeme = ANY((SELECT lexemes FROM asked)::text[]) ORDER BY 1
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


def _statement(searched: Searched, rows: str) -> str:
    return _STEP.format(
        rows=rows.format(table=searched.table, blocks=EXPRESSION),
        table=searched.table,
        columns=searched.columns,
        visible=searched.visible,
        size=searched.size,
        largest=LARGEST_PAGE,
    )
