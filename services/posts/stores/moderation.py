"""Removing and restoring posts, in PostgreSQL."""

from collections.abc import Callable
from datetime import datetime

from kernel.data.database import Connection, Database
from kernel.data.paging import LARGEST_PAGE, Cursor, Page, page
from kernel.moderation.log import Act, Subject, record
from services.posts.model import Post, PostState, Removal, RemovedPost
from services.posts.store import POST_COLUMNS, record_event

SUBJECT = Subject(
    words="(SELECT left(text, 200) FROM posts WHERE posts.id = target)",
    thread="(SELECT thread FROM posts WHERE posts.id = target)",
)
"""What a row of the moderation log is about: a post."""


class ModerationStore:
    """Posts with those that are removed. Raises `Unavailable` when the database is down. Methods
    that change a post return False if there never was such a post, raise what `decide` raises for
    the post as it is, and record the act that it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remove(
        self,
        post: int,
        actor: int,
        reason: str | None,
        now: datetime,
        decide: Callable[[PostState], Act | None],
    ) -> bool:
        """Remove the post. One that has been removed stays as it is: then only an act with a key is
        recorded. An act whose key has been recorded changes nothing."""
        async with self._database.transaction() as connection:
            state = await _select_for_update(connection, post)
            if state is None:
                return False
            act = decide(state)
            if act is not None and (state.visible or act.key is not None):
                is_new = await record(connection, act, now)
                if not is_new:
                    return True
            if state.visible:
                await connection.execute(
                    """
                    UPDATE posts SET removed_at = $2, removed_by = $3, removal_reason = $4
                    WHERE id = $1
                    """,
                    post,
                    now,
                    actor,
                    reason,
                )
                version = await _count(connection, state.post, -1)
                await record_event(connection, state.post, version, "remove")
        return True

    async def restore(
        self, post: int, now: datetime, decide: Callable[[PostState], Act | None]
    ) -> bool:
        """Show a removed post again. One that is not removed stays as it is, and nothing is
        recorded."""
        async with self._database.transaction() as connection:
            state = await _select_for_update(connection, post)
            if state is None:
                return False
            act = decide(state)
            if state.removal is not None:
                if act is not None:
                    await record(connection, act, now)
                await connection.execute(
                    """
                    UPDATE posts SET removed_at = NULL, removed_by = NULL, removal_reason = NULL
                    WHERE id = $1
                    """,
                    post,
                )
                version = await _count(connection, state.post, 1)
                await record_event(connection, state.post, version, "post")
        return True

    async def find(self, post: int) -> PostState | None:
        """The post, removed or not; None if there never was such a post."""
        async with self._database.connection() as connection:
            return await _select(connection, post)

    async def removed_in_thread(
        self, thread: int, limit: int, after: str | None
    ) -> Page[RemovedPost]:
        """The removed posts of a thread that is still there, oldest first. Raises
        `MalformedRequest` for a cursor of another list."""
        kind = f"removed-in-thread-{thread}"
        rows = await self._database.rows(
            f"""
            SELECT {POST_COLUMNS}, removed_at, removed_by, removal_reason
            FROM (
                SELECT *, sum(size) OVER (ORDER BY id) - size AS before
                FROM (
                    SELECT *, octet_length(text) + octet_length(html) AS size FROM posts
                    WHERE thread = $1 AND id > $2 AND removed_at IS NOT NULL
                        AND NOT EXISTS (SELECT FROM removed_threads WHERE thread = $1)
                    ORDER BY id LIMIT $3
                ) AS weighed
            ) AS summed
            WHERE before <= {LARGEST_PAGE} ORDER BY id
            """,  # noqa: S608 - constants
            thread,
            0 if after is None else Cursor.decode(after, kind, 1).keys[0],
            limit + 1,
        )
        removed = [RemovedPost._make(row) for row in rows]
        return page(removed, limit, kind, lambda post: (post.id,), lambda post: post.weight)


async def _select_for_update(connection: Connection, post: int) -> PostState | None:
    """The post, once no other transaction changes a post of its thread."""
    await connection.execute(
        """
        SELECT FROM thread_activity
        WHERE thread = (SELECT thread FROM posts WHERE id = $1) FOR UPDATE
        """,
        post,
    )
    return await _select(connection, post)


async def _select(connection: Connection, post: int) -> PostState | None:
    row = await connection.fetchrow(
        f"""
        SELECT {POST_COLUMNS}, removed_at, removed_by, removal_reason,
            EXISTS (SELECT FROM removed_threads AS gone WHERE gone.thread = posts.thread)
        FROM posts WHERE id = $1
        """,  # noqa: S608 - the columns are a constant
        post,
    )
    if row is None:
        return None
    *columns, removed_at, removed_by, reason, in_removed_thread = row
    removal = None if removed_at is None else Removal(removed_at, removed_by, reason)
    return PostState(Post._make(columns), removal, in_removed_thread)


async def _count(connection: Connection, post: Post, difference: int) -> int:
    """Count one post more or less in its thread, and return the thread's new version."""
    version: int = await connection.fetchval(
        """
        UPDATE thread_activity SET
            version = version + 1,
            post_count = post_count + $3,
            posts_by_others = posts_by_others + CASE
                WHEN (SELECT by_starter FROM posts WHERE id = $2) THEN 0 ELSE $3
            END,
            last_post_at = (
                SELECT created_at FROM posts
                WHERE thread = $1 AND removed_at IS NULL
                ORDER BY id DESC LIMIT 1
            )
        WHERE thread = $1 RETURNING version
        """,
        post.thread,
        post.id,
        difference,
    )
    return version
