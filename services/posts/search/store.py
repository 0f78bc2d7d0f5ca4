"""Full-text search for posts in PostgreSQL."""

import asyncio
from collections.abc import Sequence

import asyncpg

from kernel.data.database import Database
from kernel.data.paging import Page, json_weight
from kernel.search.dictionary import Dictionary
from kernel.search.scan import Scan, Searched
from services.posts.model import Found, Post
from services.posts.search.shown_text import positions_in, shown_text
from services.posts.search.snippet import snippet
from services.posts.store import POST_COLUMNS, VISIBLE


def _weigh(row: asyncpg.Record) -> int:
    return json_weight(row["text"]) + json_weight(row["html"])


SEARCHED = Searched(
    "posts", POST_COLUMNS, VISIBLE, "octet_length(text) + octet_length(html)", _weigh
)


class SearchStore:
    """Searches posts. Raises `Unavailable` if the database is down or the search takes too long,
    and `MalformedRequest` for a cursor of another search."""

    def __init__(self, database: Database, dictionary: Dictionary) -> None:
        self._scan = Scan(database, dictionary, SEARCHED)

    async def search(self, words: str, limit: int, after: str | None) -> Page[Found]:
        """The newest posts that match the words. A page may have fewer than `limit` posts, or none,
        although there is a next one."""
        hits = await self._scan.find(words, limit, after)
        found = []
        for row in map(dict, hits.rows):
            positions = row.pop("positions")
            del row["size"]
            post = Post(**row)
            # In a thread: thousands of characters of Chinese take 50 ms, and a page has many posts.
            found.append(Found(post, await asyncio.to_thread(_snippet, post, positions)))
        return Page(found, hits.next_cursor)


def _snippet(post: Post, positions: Sequence[int]) -> str:
    shown = shown_text(post.html)
    return snippet(shown, positions_in(shown, post.text, positions))
