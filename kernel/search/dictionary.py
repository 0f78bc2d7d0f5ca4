"""The words in a context's texts, from which prefixes are completed."""

from collections.abc import Mapping, Sequence

from kernel.data.database import Connection
from kernel.search.query import SHORTEST_PREFIX

MOST_EXPANSIONS = 50
"""The most words to which all prefixes of one search are completed."""

_REMEMBERED = 50_000
_END = "\U0010ffff"


class Dictionary:
    """Stores words in the table `words`, and remembers some that it already has."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def unknown(self, words: Sequence[str]) -> Sequence[str]:
        """Those of the words that can complete a prefix, and may not be stored yet. They are
        sorted, so that two transactions that store the same words cannot deadlock."""
        return sorted({word for word in words if self._is_new(word)})

    async def add(self, connection: Connection, words: Sequence[str]) -> None:
        """Store the words that can complete a prefix, in the caller's transaction. Call `committed`
        after it."""
        new = self.unknown(words)
        if new:
            await connection.execute(
                "INSERT INTO words SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", new
            )

    def committed(self, words: Sequence[str]) -> None:
        """Remember that the table has these words."""
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known.update(words)

    async def expand(
        self, connection: Connection, prefixes: Sequence[str]
    ) -> Mapping[str, Sequence[str]]:
        """The words that begin with each prefix, at most 50 together, in alphabetical order."""
        rows = await connection.fetch(
            """
            SELECT prefix, word
            FROM unnest($1::text[]) AS prefix, LATERAL (
                SELECT word FROM words WHERE word >= prefix AND word < prefix || $2
                ORDER BY word LIMIT $3
            ) AS completed
            """,
            prefixes,
            _END,
            MOST_EXPANSIONS // max(len(prefixes), 1),
        )
        return {
            prefix: [row["word"] for row in rows if row["prefix"] == prefix] for prefix in prefixes
        }

    def _is_new(self, word: str) -> bool:
        return len(word) >= SHORTEST_PREFIX and word not in self._known
