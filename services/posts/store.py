"""Posts in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kernel.data import allowance
from kernel.data.database import LARGEST_ID, Connection, Database, FetchRow
from kernel.data.idempotency import IdempotentWrite
from kernel.data.json_rows import json_object, number, text, timestamp
from kernel.data.paging import (
    LARGEST_PAGE,
    Cursor,
    Page,
    page,
)
from kernel.data.user_limit import check_user_limit, counting
from kernel.errors import FieldError, Invalid, Policy, Unavailable
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
        if write.has_key or of_post(new.html, LARGEST_ID) != new.html:
            async with self._database.transaction() as connection:
                await write.begin(connection, new.user, now)
                added = await self._add(connection.fetchrow, new, words, now, policy)
                post = await _name_footnotes(connection, added)
                await write.finish(connection, new.user, now, post)
        else:
            post = await self._add(self._database.write, new, words, now, policy)
        self._dictionary.committed(words)
        return post

    async def _add(
        self, fetch: FetchRow, new: NewPost, words: Sequence[str], now: datetime, policy: Policy
    ) -> Post:
        window = timedelta(seconds=policy.window)
        limit = (policy.name, now - window, now + window) if window else ()
        statement = _ADD_WITH_LIMIT if window else _ADD
        for _ in range(_MOST_TRIES):
            row = await fetch(
                statement, new.thread, new.user, new.by_starter, new.text, new.html, new.reply_to,
                now, encode(words), self._dictionary.unknown(words), THREAD_CHANGED, *limit,
            )  # fmt: skip
            if row is not None:
                return Post._make([*row][: len(Post._fields)])
            # Neither check refuses if what the statement saw has just changed.
            await check_user_limit(fetch, new.user, policy, now, _JUST_POSTED)
            if new.reply_to is not None:
                await _check_reply(fetch, new.thread, new.reply_to)
        raise Unavailable("Too much changed while this post was stored. Try again.")

    async def check_may_post(self, user: int, now: datetime, policy: Policy) -> None:
        """Raises `TooManyRequests` if `add` would."""
        await check_user_limit(self._database.row, user, policy, now, _JUST_POSTED)

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


_MOST_TRIES = 5
"""How often a post is stored again because what prevented it had gone before it was looked at."""

_JUST_POSTED = "You have just posted. Wait a little."
_EDITED_MUCH = "You have edited a lot today. Try again tomorrow."
_PREVIEWED_MUCH = "You have looked at many previews. Wait a little."


def _add_statement(allowed: str) -> str:
    """The statement that stores a post, its event, and what it changes in the counts of its thread
    and in the dictionary, and notifies streams. `allowed` is a query with a row if the author may
    post now; if there is none, or the post is a reply to one that is not in the thread, nothing is
    stored, and there is no row.

    The thread's row is updated before the post is inserted: its lock makes ids within a thread
    ascend in the order of commits, so a reader who pages by id never misses a post that was
    committed late. Times ascend as well, even if the clocks of two machines differ.
    """
    return f"""
        WITH allowed AS ({allowed}),
        counted AS (
            INSERT INTO thread_activity AS known
                (thread, version, post_count, posts_by_others, last_post_at)
            SELECT $1::bigint, 1, 1, CASE WHEN $3::boolean THEN 0 ELSE 1 END, $7::timestamptz
            FROM allowed
            ON CONFLICT (thread) DO UPDATE SET
                version = known.version + 1,
                post_count = known.post_count + 1,
                posts_by_others = known.posts_by_others + excluded.posts_by_others,
                last_post_at = greatest(known.last_post_at, excluded.last_post_at)
            RETURNING version, last_post_at
        ),
        post AS (
            INSERT INTO posts (
                thread, author, by_starter, text, html, reply_to, created_at,
                search, indexed_at, markup, rendered_at
            )
            SELECT $1, $2, $3, $4, $5, $6, last_post_at,
                to_tsvector('english', $8), last_post_at, {MARKUP}, last_post_at
            FROM counted
            RETURNING *
        ),
        happened AS (
            INSERT INTO thread_events (thread, version, kind, post)
            SELECT $1, version, 'post', id FROM counted, post
        ),
        learnt AS (
            INSERT INTO words SELECT unnest($9::text[]) FROM allowed ON CONFLICT DO NOTHING
        )
        SELECT {POST_COLUMNS}, pg_notify($10, $1::text) FROM post
    """  # noqa: S608 - constants


_IS_IN_THREAD = """
    SELECT FROM posts WHERE id = $6::bigint AND thread = $1::bigint AND removed_at IS NULL
"""
_MAY_REPLY = f"$6::bigint IS NULL OR EXISTS ({_IS_IN_THREAD})"
_ADD = _add_statement(f"SELECT WHERE {_MAY_REPLY}")
_ADD_WITH_LIMIT = _add_statement(counting("$2", "$11", "$7", "$12", "$13", _MAY_REPLY))


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


async def _check_reply(fetch: FetchRow, thread: int, reply_to: int) -> None:
    statement = "SELECT FROM posts WHERE id = $1 AND thread = $2 AND removed_at IS NULL"
    if await fetch(statement, reply_to, thread) is None:
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
