"""Full-text search for posts in PostgreSQL."""

import hashlib
import html

from kernel.data.database import Database
from kernel.data.paging import LARGEST_PAGE, Cursor, Page, page
from kernel.data.search import readable
from services.posts.model import Found, Post
from services.posts.store import POST_COLUMNS, VISIBLE

_MARK, _END = "\x02", "\x03"

# In a snippet, other control characters stand in for what the parser would look into (see the
# migration), so that making it takes milliseconds whatever somebody has written.
_NO_WORDS = "<&_/.:@~+=?#%-"
_STAND_INS = "\x04\x05\x06\x07\x08\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
_STOOD_FOR = str.maketrans(_STAND_INS, _NO_WORDS)
_SEARCHED_FOR = str.maketrans(_NO_WORDS.removesuffix("-"), " " * (len(_NO_WORDS) - 1))
_SHOWN_OF = 5_000


class SearchStore:
    """Searches posts. Raises `Unavailable` when the database is down, and `MalformedRequest` for a
    cursor of another search."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, words: str, limit: int, after: str | None) -> Page[Found]:
        """Posts that have the words, best first. The words may be of the form that web search
        takes: quotes, `or`, `-`; nothing is an error. A snippet is taken from the first 5,000
        characters, and has no marks when what was found comes later."""
        kind = f"posts-search-{hashlib.blake2b(words.encode(), digest_size=8).hexdigest()}"
        place = (None, None) if after is None else Cursor.decode(after, kind, 2).keys
        rows = await self._database.rows(
            f"""
            SELECT {POST_COLUMNS}, rank,
                ts_headline(
                    'english',
                    translate(left(text, {_SHOWN_OF}), '{_NO_WORDS}{_MARK}{_END}', '{_STAND_INS}'),
                    query,
                    'StartSel={_MARK}, StopSel={_END}, MaxFragments=2, MaxWords=20, MinWords=8'
                ) AS snippet
            FROM (
                SELECT *, sum(size) OVER (ORDER BY rank DESC, id DESC) - size AS before
                FROM (
                    SELECT *, octet_length(text) + octet_length(html) AS size
                    FROM (
                        SELECT posts.*, query, (ts_rank(search, query) * 1000000)::bigint AS rank
                        FROM posts, websearch_to_tsquery('english', $1) AS query
                        WHERE search @@ query AND {VISIBLE}
                    ) AS found
                    WHERE $3::bigint IS NULL OR (rank, id) < ($3, $4)
                    ORDER BY rank DESC, id DESC LIMIT $2
                ) AS weighed
            ) AS best
            WHERE before <= {LARGEST_PAGE} ORDER BY rank DESC, id DESC
            """,  # noqa: S608 - constants
            readable(words.translate(_SEARCHED_FOR)),
            limit + 1,
            *place,
        )
        found = []
        for row in map(dict, rows):
            rank, snippet = row.pop("rank"), _to_html(row.pop("snippet"))
            found.append(Found(Post(**row), snippet, rank))
        return page(
            found, limit, kind, lambda hit: (hit.rank, hit.post.id), lambda hit: hit.post.weight
        )


def _to_html(headline: str) -> str:
    snippet = html.escape(headline.translate(_STOOD_FOR), quote=False)
    return snippet.replace(_MARK, "<mark>").replace(_END, "</mark>")
