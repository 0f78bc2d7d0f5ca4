"""Indexes rows that an older version of the board has written."""

import logging
import time

from kernel.data.database import Database
from kernel.process.background import repeat
from kernel.search.dictionary import Dictionary
from kernel.search.words import encode, words_of

log = logging.getLogger("board.search")

_BATCH = 100
_PAUSE = 2.0


class Indexer:
    """Fills in the columns `search` and `indexed_at` of a table from the text in `column`.

    A row is up to date if `indexed_at` is the time of its last edit. Current code writes both
    columns with the text. This fills them in for rows from before the migration, and for those that
    an older version has written since then: the newest first, in short transactions that skip
    locked rows.
    """

    def __init__(self, database: Database, dictionary: Dictionary, table: str, column: str) -> None:
        self._database = database
        self._dictionary = dictionary
        self._table = table
        # Constants from the code, not input.
        self._select = SELECT_NOT_INDEXED.format(table=table, column=column)
        self._update = _UPDATE.format(table=table)

    async def run(self) -> None:
        """Fill in rows until cancelled, using at most half of the time."""
        await repeat(self._attempt, log, f"indexing {self._table}", pause=_PAUSE)

    async def _attempt(self) -> float:
        began = time.monotonic()
        done = await self.fill_in()
        return time.monotonic() - began if done else _PAUSE

    async def fill_in(self) -> int:
        """Fill in one batch of rows. Returns their number. Raises `Unavailable`."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(self._select, _BATCH)
            if not rows:
                return 0
            words = [await words_of(row["text"]) for row in rows]
            every = [word for of_row in words for word in of_row]
            await connection.execute(
                self._update,
                [row["id"] for row in rows],
                [encode(of_row) for of_row in words],
                [row["at"] for row in rows],
            )
            await self._dictionary.add(connection, every)
        self._dictionary.committed(every)
        return len(rows)


SELECT_NOT_INDEXED = """
    SELECT id, {column} AS text, coalesce(edited_at, created_at) AS at FROM {table}
    WHERE indexed_at IS DISTINCT FROM coalesce(edited_at, created_at)
    ORDER BY id DESC LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
"""
"""The statement that selects and locks the rows of a table that are not up to date."""

_UPDATE = """
    UPDATE {table} SET search = to_tsvector('english', encoded), indexed_at = at
    FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS read (row, encoded, at)
    WHERE id = read.row
"""
