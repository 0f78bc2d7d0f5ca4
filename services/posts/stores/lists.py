"""Lists of posts in PostgreSQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import asyncpg

from kernel.data.database import LARGEST_ID, Database
from kernel.data.paging import LARGEST_PAGE, Cursor, Page, most_json_weight, page, previous_cursor
from services.posts.model import JsonPost, Post
from services.posts.store import POST_COLUMNS, POST_JSON, VISIBLE

Item = TypeVar("Item", Post, JsonPost)


@dataclass(frozen=True, slots=True)
class Form(Generic[Item]):
    """What a list has of each post. `columns` are read, `make` creates the item of a row, `weigh`
    returns its size in JSON in bytes, and `most` a number that this does not exceed."""

    columns: str
    make: Callable[[asyncpg.Record], Item]
    weigh: Callable[[Item], int]
    most: Callable[[Item], int]


AS_POSTS: Final = Form(
    POST_COLUMNS,
    Post._make,
    lambda post: post.weight,
    lambda post: most_json_weight(post.text) + most_json_weight(post.html),
)
AS_JSON: Final = Form(
    f"id, {POST_JSON} AS json",
    JsonPost._make,
    lambda post: len(post.json),
    lambda post: len(post.json),
)

_CONTEXT: Final = 5


class PostLists(Generic[Item]):
    """Lists posts in one form. Raises `Unavailable` if the database is down, and
    `MalformedRequest` for a cursor of another list. Removed posts, and posts in removed threads,
    are left out."""

    def __init__(self, database: Database, form: Form[Item]) -> None:
        self._database = database
        self._form: Form[Item] = form
        self._newest = self._statement(
            f"SELECT * FROM posts WHERE id < $1 AND {VISIBLE}",  # noqa: S608 - constants
            "id DESC",
            2,
        )
        self._by_user = self._statement(
            f"SELECT * FROM posts WHERE author = $1 AND id < $2 AND {VISIBLE}",  # noqa: S608
            "id DESC",
            3,
        )
        self._in_thread = self._statement(f"{_IN_THREAD} AND id > $2", "id", 3)
        self._newest_in_thread = self._statement(_IN_THREAD, "id DESC", 2)

    async def newest(self, limit: int, after: str | None) -> Page[Item]:
        """Posts of all threads, newest first."""
        kind = "posts-newest"
        rows = await self._database.rows(self._newest, _last(after, kind, LARGEST_ID), limit + 1)
        return self._page(rows, limit, kind)

    async def by_user(self, user: int, limit: int, after: str | None) -> Page[Item]:
        """The posts of a user, newest first; none for a missing user."""
        kind = _kind_by(user)
        last = _last(after, kind, LARGEST_ID)
        rows = await self._database.rows(self._by_user, user, last, limit + 1)
        return self._page(rows, limit, kind)

    async def in_thread(self, thread: int, limit: int, after: str | None) -> Page[Item]:
        """The posts of a thread, oldest first; none for a missing thread."""
        kind = _kind_of(thread)
        last = _last(after, kind, 0)
        rows = await self._database.rows(self._in_thread, thread, last, limit + 1)
        return self._page(rows, limit, kind)

    async def newest_in_thread(self, thread: int, limit: int) -> Sequence[Item]:
        """The newest posts of a thread, the newest first."""
        rows = await self._database.rows(self._newest_in_thread, thread, limit)
        return [self._form.make(row) for row in rows]

    async def cursor_before(self, thread: int, post: int) -> str | None:
        """The cursor of the page of a thread that has a few posts before this one, and then this
        one or what follows its place; None if that is the first page."""
        row = await self._database.row(
            """
            SELECT id FROM posts WHERE thread = $1 AND id < $2 AND removed_at IS NULL
            ORDER BY id DESC OFFSET $3 LIMIT 1
            """,
            thread,
            post,
            _CONTEXT,
        )
        return None if row is None else Cursor(_kind_of(thread), (row["id"],)).encode()

    async def before_in_thread(self, thread: int, after: str, limit: int) -> str | None:
        """The cursor of the page of `in_thread` before the one at this cursor; empty for the first
        page, None if there is none."""
        kind = _kind_of(thread)
        rows = await self._database.rows(
            """
            SELECT id FROM posts WHERE thread = $1 AND id <= $2 AND removed_at IS NULL
            ORDER BY id DESC LIMIT $3
            """,
            thread,
            _last(after, kind, 0),
            limit + 1,
        )
        return previous_cursor([(row["id"],) for row in rows], limit, kind)

    async def before_by_user(self, user: int, after: str, limit: int) -> str | None:
        """The cursor of the page of `by_user` before the one at this cursor; empty for the first
        page, None if there is none."""
        kind = _kind_by(user)
        rows = await self._database.rows(
            f"""
            SELECT id FROM posts WHERE author = $1 AND id >= $2 AND {VISIBLE}
            ORDER BY id LIMIT $3
            """,  # noqa: S608 - a constant
            user,
            _last(after, kind, LARGEST_ID),
            limit + 1,
        )
        return previous_cursor([(row["id"],) for row in rows], limit, kind)

    def _statement(self, posts: str, order: str, limit: int) -> str:
        """The statement for a page of posts: as many as parameter number `limit` says, or fewer, up
        to the one that exceeds `LARGEST_PAGE`. PostgreSQL knows sizes without reading the texts."""
        return f"""
            SELECT {self._form.columns}
            FROM (
                SELECT *, sum(size) OVER (ORDER BY {order}) - size AS before
                FROM (
                    SELECT *, octet_length(text) + octet_length(html) AS size
                    FROM ({posts}) AS all_of_them ORDER BY {order} LIMIT ${limit}
                ) AS weighed
            ) AS summed
            WHERE before <= {LARGEST_PAGE} ORDER BY {order}
        """  # noqa: S608 - constants

    def _page(self, rows: Sequence[asyncpg.Record], limit: int, kind: str) -> Page[Item]:
        form = self._form
        items = [form.make(row) for row in rows]
        return page(items, limit, kind, _key, form.weigh, form.most)


_IN_THREAD: Final = """
    SELECT * FROM posts
    WHERE thread = $1 AND removed_at IS NULL
        AND NOT EXISTS (SELECT FROM removed_threads WHERE thread = $1)
"""


def _key(post: Post | JsonPost) -> tuple[int, ...]:
    return (post.id,)


def _kind_of(thread: int) -> str:
    return f"posts-in-thread-{thread}"


def _kind_by(user: int) -> str:
    return f"posts-by-user-{user}"


def _last(after: str | None, kind: str, start: int) -> int:
    return start if after is None else Cursor.decode(after, kind, 1).keys[0]
