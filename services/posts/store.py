"""Posts in PostgreSQL."""

from datetime import datetime

from kernel.data import allowance
from kernel.data.database import Connection, Database
from kernel.data.idempotency import IdempotentWrite
from kernel.data.json_rows import json_object, number, text, timestamp
from kernel.data.paging import (
    LARGEST_PAGE,
    Cursor,
    Page,
    page,
)
from kernel.data.user_limit import check_user_limit, enforce_user_limit
from kernel.errors import FieldError, Invalid, Policy
from kernel.moderation.log import record
from kernel.search.dictionary import Dictionary
from kernel.search.words import encode, words_of
from services.posts.markup.footnote_ids import of_post
from services.posts.model import MARKUP, Decide, Kind, NewPost, Post, Revision

SCHEMA = "0011"
"""The migration that this code needs."""

THREAD_CHANGED = "thread"
"""NOTIFY channel; the payload is the id of the thread in which a post changed."""

CHANGE_KINDS = frozenset({"author", "authors", "newest", "thread"})
"""The kinds of tags that triggers send on the channel of changes: `thread/7` and `author/3` whose
posts changed, `newest` for any post, and `authors` for posts of any author that disappeared."""

POST_COLUMNS = """
    id, thread, author AS "user", text, html, reply_to, created_at, edited_at,
    CASE WHEN edited_by_at = edited_at THEN edited_by END AS edited_by
"""
"""The columns of `services.posts.model.Post`."""

POST_JSON = json_object(
    {
        "id": number("id"),
        "thread": number("thread"),
        "user": number("author"),
        "text": text("text"),
        "html": text("html"),
        "replyTo": number("reply_to"),
        "createdAt": timestamp("created_at"),
        "editedAt": timestamp("edited_at"),
        "editedBy": number("CASE WHEN edited_by_at = edited_at THEN edited_by END"),
    }
)
"""A post as `services.posts.bodies.Post` documents it, in JSON."""

VISIBLE = """
    removed_at IS NULL
    AND NOT EXISTS (SELECT FROM removed_threads AS gone WHERE gone.thread = posts.thread)
"""
"""The condition that a post is neither removed nor in a removed thread."""


class PostStore:
    """Writes and finds posts. Raises `Unavailable` if the database is down, and
    `MalformedRequest` for a cursor of another list. Removed posts, and posts in removed threads,
    count as missing."""

    def __init__(self, database: Database, dictionary: Dictionary) -> None:
        self._database = database
        self._dictionary = dictionary

    async def check_replay(self, write: IdempotentWrite[Post], user: int, now: datetime) -> None:
        """Raises `Replayed` if this write was done before."""
        await write.check_replay(self._database, user, now)

    async def add(
        self, new: NewPost, now: datetime, policy: Policy, write: IdempotentWrite[Post]
    ) -> Post:
        """Store a new post. Raises `TooManyRequests`, `Invalid` for a reply to a post that is not
        in the thread, and what `write.begin` raises."""
        words = await words_of(new.text)
        async with self._database.transaction() as connection:
            await write.begin(connection, new.user, now)
            await enforce_user_limit(connection, new.user, policy, now, _JUST_POSTED)
            version, created_at = await _count(connection, new, now)
            if new.reply_to is not None:
                await _check_reply(connection, new.thread, new.reply_to)
            row = await connection.fetchrow(
                f"""
                INSERT INTO posts (
                    thread, author, by_starter, text, html, reply_to, created_at,
                    search, indexed_at, markup, rendered_at
                )
                VALUES ($1, $2, $3, $4, $5, $6, $7, to_tsvector('english', $8), $7, {MARKUP}, $7)
                RETURNING {POST_COLUMNS}
                """,  # noqa: S608 - the constants are ours
                new.thread,
                new.user,
                new.by_starter,
                new.text,
                new.html,
                new.reply_to,
                created_at,
                encode(words),
            )
            assert row is not None  # noqa: S101 - INSERT ... RETURNING returns its row
            post = await _name_footnotes(connection, Post._make(row))
            await record_event(connection, post, version, "post")
            await self._dictionary.add(connection, words)
            await write.finish(connection, new.user, now, post)
        self._dictionary.committed(words)
        return post

    async def check_may_post(self, user: int, now: datetime, policy: Policy) -> None:
        """Raises `TooManyRequests` if `add` would."""
        await check_user_limit(self._database, user, policy, now, _JUST_POSTED)

    async def check_may_edit(self, user: int, now: datetime, policy: Policy) -> None:
        """Raises `TooManyRequests` if `edit` would."""
        await allowance.check(self._database, str(user), policy, now, _EDITED_MUCH)

    async def count_preview(self, user: int, now: datetime, policy: Policy) -> None:
        """Count a preview. Raises `TooManyRequests`."""
        async with self._database.transaction() as connection:
            await allowance.spend(connection, str(user), policy, now, _PREVIEWED_MUCH)

    async def edit(
        self,
        post: int,
        actor: int,
        text: str,
        rendered: str,
        now: datetime,
        policy: Policy,
        decide: Decide,
    ) -> Post | None:
        """Change the text and store the old one. Returns None if there is no such post. Raises what
        `decide` raises, records the act that it returns, and raises `TooManyRequests` for the
        actor."""
        words = await words_of(text)
        async with self._database.transaction() as connection:
            found = await _lock(connection, post)
            if found is None:
                return None
            act = decide(found)
            if found.text == text:
                return found
            if act is not None:
                await record(connection, act, now)
            await allowance.spend(connection, str(actor), policy, now, _EDITED_MUCH)
            version = await connection.fetchval(
                """
                UPDATE thread_activity SET version = version + 1 WHERE thread = $1 RETURNING version
                """,
                found.thread,
            )
            await connection.execute(
                """
                INSERT INTO revisions (post, number, text, created_at, edited_by)
                SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4 FROM revisions WHERE post = $1
                """,
                post,
                found.text,
                found.edited_at or found.created_at,
                found.edited_by,
            )
            row = await connection.fetchrow(
                f"""
                UPDATE posts SET text = $2, html = $3, edited_at = $4,
                    edited_by = $6, edited_by_at = $4,
                    search = to_tsvector('english', $5), indexed_at = $4,
                    markup = {MARKUP}, rendered_at = $4
                WHERE id = $1 RETURNING {POST_COLUMNS}
                """,  # noqa: S608 - the constants are ours
                post,
                text,
                of_post(rendered, post),
                now,
                encode(words),
                None if actor == found.user else actor,
            )
            assert row is not None  # noqa: S101 - the row is locked
            edited = Post._make(row)
            await record_event(connection, edited, version, "edit")
            await self._dictionary.add(connection, words)
        self._dictionary.committed(words)
        return edited

    async def find(self, post: int) -> Post | None:
        """The post, or None."""
        row = await self._database.row(
            f"SELECT {POST_COLUMNS} FROM posts WHERE id = $1 AND {VISIBLE}",  # noqa: S608
            post,
        )
        return None if row is None else Post._make(row)

    async def revisions(self, post: int, limit: int, after: str | None) -> Page[Revision]:
        """The texts of the post, oldest first; the last one is the current text."""
        kind = f"revisions-of-{post}"
        rows = await self._database.rows(
            """
            SELECT number, text, created_at, edited_by
            FROM (
                SELECT *, sum(size) OVER (ORDER BY number) - size AS before
                FROM (
                    SELECT *, octet_length(text) AS size
                    FROM (
                        SELECT number, text, created_at, edited_by FROM revisions WHERE post = $1
                        UNION ALL
                        SELECT (
                            SELECT coalesce(max(number), 0) + 1 FROM revisions WHERE post = $1
                        ), text,
                            coalesce(edited_at, created_at),
                            CASE WHEN edited_by_at = edited_at THEN edited_by END
                        FROM posts WHERE id = $1
                    ) AS said
                    WHERE number > $2::bigint ORDER BY number LIMIT $3
                ) AS weighed
            ) AS summed
            WHERE before <= $4 ORDER BY number
            """,
            post,
            _last(after, kind, 0),
            limit + 1,
            LARGEST_PAGE,
        )
        said = [Revision(**row) for row in rows]
        return page(
            said, limit, kind, lambda revision: (revision.number,), lambda each: each.weight
        )


_JUST_POSTED = "You have just posted. Wait a little."
_EDITED_MUCH = "You have edited a lot today. Try again tomorrow."
_PREVIEWED_MUCH = "You have looked at many previews. Wait a little."


async def _count(connection: Connection, new: NewPost, now: datetime) -> tuple[int, datetime]:
    """Count the post in its thread's row, and return the new version and the post's time.

    The row is updated before the post is inserted: its lock makes ids within a thread ascend in the
    order of commits, so a reader who pages by id never misses a post that was committed late. Times
    ascend as well, even if the clocks of two machines differ.
    """
    row = await connection.fetchrow(
        """
        INSERT INTO thread_activity AS known
            (thread, version, post_count, posts_by_others, last_post_at)
        VALUES ($1, 1, 1, $2, $3)
        ON CONFLICT (thread) DO UPDATE SET
            version = known.version + 1,
            post_count = known.post_count + 1,
            posts_by_others = known.posts_by_others + excluded.posts_by_others,
            last_post_at = greatest(known.last_post_at, excluded.last_post_at)
        RETURNING version, last_post_at
        """,
        new.thread,
        0 if new.by_starter else 1,
        now,
    )
    assert row is not None  # noqa: S101 - INSERT ... RETURNING returns its row
    return row["version"], row["last_post_at"]


async def _name_footnotes(connection: Connection, post: Post) -> Post:
    html = of_post(post.html, post.id)
    if html != post.html:
        await connection.execute("UPDATE posts SET html = $2 WHERE id = $1", post.id, html)
    return post._replace(html=html)


async def _lock(connection: Connection, post: int) -> Post | None:
    """The post, after locking its thread's row; None if there is no such post."""
    await connection.execute(
        """
        SELECT FROM thread_activity
        WHERE thread = (SELECT thread FROM posts WHERE id = $1) FOR UPDATE
        """,
        post,
    )
    row = await connection.fetchrow(
        f"SELECT {POST_COLUMNS} FROM posts WHERE id = $1 AND {VISIBLE}",  # noqa: S608
        post,
    )
    return None if row is None else Post._make(row)


async def _check_reply(connection: Connection, thread: int, reply_to: int) -> None:
    if not await connection.fetchval(
        "SELECT true FROM posts WHERE id = $1 AND thread = $2 AND removed_at IS NULL",
        reply_to,
        thread,
    ):
        raise Invalid(FieldError("/replyTo", "There is no such post in this thread."))


async def record_event(connection: Connection, post: Post, version: int, kind: Kind) -> None:
    """Store an event of a post, and notify the streams of its thread."""
    await connection.execute(
        """
        WITH happened AS (
            INSERT INTO thread_events (thread, version, kind, post) VALUES ($1, $2, $3, $4)
        )
        SELECT pg_notify($5, $1::text)
        """,
        post.thread,
        version,
        kind,
        post.id,
        THREAD_CHANGED,
    )


def _last(after: str | None, kind: str, start: int) -> int:
    return start if after is None else Cursor.decode(after, kind, 1).keys[0]
