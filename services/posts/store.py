"""Posts in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from kernel.contracts import Activity
from kernel.database import Database
from kernel.fields import LARGEST_ID
from kernel.pages import Cursor, Page, page
from services.posts.model import NewPost, Post

SCHEMA = "0001"
"""The migration that this code needs."""

_POST = 'id, thread, author AS "user", text, html, reply_to, created_at, edited_at'


class PostStore:
    """Every statement about posts. Raises `Unavailable` when the database is down, and
    `MalformedRequest` for a cursor that is none of ours."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self) -> None:
        """Raises `Unavailable` unless the database answers and is migrated."""
        await self._database.check_schema(SCHEMA)

    async def add(self, new: NewPost, now: datetime) -> Post:
        """Keep a new post, and count it in its thread's row.

        The row comes first: its lock makes ids ascend in the order of commits within a thread, so
        that who reads a thread by id never misses a post that was committed late.
        """
        async with self._database.transaction() as connection:
            await connection.execute(
                """
                INSERT INTO thread_activity AS known
                    (thread, version, post_count, posts_by_others, last_post_at)
                VALUES ($1, 1, 1, $2, $3)
                ON CONFLICT (thread) DO UPDATE SET
                    version = known.version + 1,
                    post_count = known.post_count + 1,
                    posts_by_others = known.posts_by_others + excluded.posts_by_others,
                    last_post_at = greatest(known.last_post_at, excluded.last_post_at)
                """,
                new.thread,
                0 if new.by_starter else 1,
                now,
            )
            row = await connection.fetchrow(
                f"""
                INSERT INTO posts (thread, author, text, html, created_at)
                VALUES ($1, $2, $3, $4, $5) RETURNING {_POST}
                """,  # noqa: S608 - the columns are the constant above
                new.thread,
                new.user,
                new.text,
                new.html,
                now,
            )
        assert row is not None  # noqa: S101 - INSERT ... RETURNING gives its row
        return Post(**row)

    async def find(self, post: int) -> Post | None:
        """The post, or None."""
        row = await self._database.row(f"SELECT {_POST} FROM posts WHERE id = $1", post)  # noqa: S608
        return None if row is None else Post(**row)

    async def newest(self, limit: int, after: str | None) -> Page[Post]:
        """Posts of all threads, newest first."""
        kind = "posts-newest"
        rows = await self._database.rows(
            f"SELECT {_POST} FROM posts WHERE id < $1 ORDER BY id DESC LIMIT $2",  # noqa: S608
            _last(after, kind, LARGEST_ID),
            limit + 1,
        )
        return page([Post(**row) for row in rows], limit, kind, _key)

    async def by_user(self, user: int, limit: int, after: str | None) -> Page[Post]:
        """What a user wrote, newest first."""
        kind = f"posts-by-user-{user}"
        rows = await self._database.rows(
            f"""
            SELECT {_POST} FROM posts WHERE author = $1 AND id < $2 ORDER BY id DESC LIMIT $3
            """,  # noqa: S608 - the columns are the constant above
            user,
            _last(after, kind, LARGEST_ID),
            limit + 1,
        )
        return page([Post(**row) for row in rows], limit, kind, _key)

    async def in_thread(self, thread: int, limit: int, after: str | None) -> Page[Post]:
        """What was written in a thread, oldest first."""
        kind = f"posts-in-thread-{thread}"
        rows = await self._database.rows(
            f"""
            SELECT {_POST} FROM posts WHERE thread = $1 AND id > $2 ORDER BY id LIMIT $3
            """,  # noqa: S608 - the columns are the constant above
            thread,
            _last(after, kind, 0),
            limit + 1,
        )
        return page([Post(**row) for row in rows], limit, kind, _key)

    async def undelivered(self, limit: int) -> Sequence[Activity]:
        """Threads whose activity is ahead of what threads has acknowledged."""
        rows = await self._database.rows(
            """
            SELECT thread, version, post_count, posts_by_others, last_post_at
            FROM thread_activity WHERE version > delivered ORDER BY thread LIMIT $1
            """,
            limit,
        )
        return [Activity(**row) for row in rows]

    async def mark_delivered(self, activities: Sequence[Activity]) -> None:
        """Threads has acknowledged these."""
        await self._database.row(
            """
            UPDATE thread_activity SET delivered = told.version
            FROM unnest($1::bigint[], $2::bigint[]) AS told (thread, version)
            WHERE thread_activity.thread = told.thread AND delivered < told.version
            """,
            [activity.thread for activity in activities],
            [activity.version for activity in activities],
        )


def _key(post: Post) -> tuple[int, ...]:
    return (post.id,)


def _last(after: str | None, kind: str, start: int) -> int:
    return start if after is None else Cursor.decode(after, kind, 1).keys[0]
