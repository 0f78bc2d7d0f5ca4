"""Posts in PostgreSQL."""

import hashlib
import html
from collections.abc import Callable, Sequence
from datetime import datetime

from kernel.contracts import Activity, Removals
from kernel.data.database import LARGEST_ID, Connection, Database
from kernel.data.idempotency import IdempotentWrite
from kernel.data.paging import Cursor, Page, page
from kernel.data.search import readable
from kernel.data.user_limit import enforce_user_limit
from kernel.errors import FieldError, Invalid, Policy
from services.posts.model import Event, Found, Kind, NewPost, Post, Revision

SCHEMA = "0001"
"""The migration that this code needs."""

THREAD_CHANGED = "thread"
"""NOTIFY channel; the payload is the id of the thread in which a post changed."""

_POST = 'id, thread, author AS "user", text, html, reply_to, created_at, edited_at'
_VISIBLE = """
    removed_at IS NULL
    AND NOT EXISTS (SELECT FROM removed_threads AS gone WHERE gone.thread = posts.thread)
"""
_EVENTS_AT_ONCE = 100
_MARK, _END = "\x02", "\x03"

# In a snippet, other control characters stand in for what the parser would look into (see the
# migration), so that making it takes milliseconds whatever somebody has written.
_NO_WORDS = "<&_/.:@~+=?#%-"
_STAND_INS = "\x04\x05\x06\x07\x08\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
_STOOD_FOR = str.maketrans(_STAND_INS, _NO_WORDS)
_SEARCHED_FOR = str.maketrans(_NO_WORDS.removesuffix("-"), " " * (len(_NO_WORDS) - 1))
_SHOWN_OF = 5_000


class PostStore:
    """Every statement about posts. Raises `Unavailable` when the database is down, and
    `MalformedRequest` for a cursor that is none of ours. A removed post is not there, nor is one
    in a thread that has been removed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self) -> None:
        """Raises `Unavailable` unless the database answers and is migrated."""
        await self._database.check_schema(SCHEMA)

    async def check_replay(self, write: IdempotentWrite[Post], user: int, now: datetime) -> None:
        """Raises `Replayed` when this write has been done already."""
        await write.check_replay(self._database, user, now)

    async def add(
        self, new: NewPost, now: datetime, policy: Policy, write: IdempotentWrite[Post]
    ) -> Post:
        """Keep a new post. Raises `TooManyRequests`, `Invalid` for a reply to what is not in the
        thread, and what `write.begin` raises."""
        async with self._database.transaction() as connection:
            await write.begin(connection, new.user, now)
            await enforce_user_limit(
                connection, new.user, policy, now, "You have just posted. Wait a little."
            )
            version, created_at = await _count(connection, new, now)
            if new.reply_to is not None:
                await _check_reply(connection, new.thread, new.reply_to)
            row = await connection.fetchrow(
                f"""
                INSERT INTO posts (thread, author, by_starter, text, html, reply_to, created_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_POST}
                """,  # noqa: S608 - the columns are the constant above
                new.thread,
                new.user,
                new.by_starter,
                new.text,
                new.html,
                new.reply_to,
                created_at,
            )
            assert row is not None  # noqa: S101 - INSERT ... RETURNING gives its row
            post = Post(**row)
            await _record_event(connection, post, version, "post")
            await write.finish(connection, new.user, now, post)
        return post

    async def edit(
        self, post: int, text: str, rendered: str, now: datetime, allow: Callable[[Post], None]
    ) -> Post | None:
        """Change the text and keep the old one, or None when there is no such post. `allow` raises
        unless this post, as it is, may be changed."""
        async with self._database.transaction() as connection:
            found = await _lock(connection, post)
            if found is None:
                return None
            allow(found)
            version = await connection.fetchval(
                """
                UPDATE thread_activity SET version = version + 1 WHERE thread = $1 RETURNING version
                """,
                found.thread,
            )
            await connection.execute(
                """
                INSERT INTO revisions (post, number, text, created_at)
                SELECT $1, count(*) + 1, $2, $3 FROM revisions WHERE post = $1
                """,
                post,
                found.text,
                found.edited_at or found.created_at,
            )
            row = await connection.fetchrow(
                f"""
                UPDATE posts SET text = $2, html = $3, edited_at = $4 WHERE id = $1
                RETURNING {_POST}
                """,  # noqa: S608 - the columns are the constant above
                post,
                text,
                rendered,
                now,
            )
            assert row is not None  # noqa: S101 - the row is locked
            edited = Post(**row)
            await _record_event(connection, edited, version, "edit")
        return edited

    async def remove(self, post: int, now: datetime, allow: Callable[[Post], None]) -> bool:
        """Remove the post. False when there is no such post. `allow` raises unless this post may be
        removed."""
        async with self._database.transaction() as connection:
            found = await _lock(connection, post)
            if found is None:
                return False
            allow(found)
            by_starter = await connection.fetchval(
                "UPDATE posts SET removed_at = $2 WHERE id = $1 RETURNING by_starter", post, now
            )
            version = await connection.fetchval(
                """
                UPDATE thread_activity SET
                    version = version + 1,
                    post_count = post_count - 1,
                    posts_by_others = posts_by_others - $2,
                    last_post_at = (
                        SELECT created_at FROM posts
                        WHERE thread = $1 AND removed_at IS NULL
                        ORDER BY id DESC LIMIT 1
                    )
                WHERE thread = $1 RETURNING version
                """,
                found.thread,
                0 if by_starter else 1,
            )
            await _record_event(connection, found, version, "remove")
        return True

    async def find(self, post: int) -> Post | None:
        """The post, or None."""
        row = await self._database.row(
            f"SELECT {_POST} FROM posts WHERE id = $1 AND {_VISIBLE}",  # noqa: S608
            post,
        )
        return None if row is None else Post(**row)

    async def revisions(self, post: int, limit: int, after: str | None) -> Page[Revision]:
        """What the post said, oldest first; the last one is what it says now."""
        kind = f"revisions-of-{post}"
        rows = await self._database.rows(
            """
            SELECT number, text, created_at
            FROM (
                SELECT number, text, created_at FROM revisions WHERE post = $1
                UNION ALL
                SELECT (SELECT count(*) + 1 FROM revisions WHERE post = $1)::integer, text,
                    coalesce(edited_at, created_at)
                FROM posts WHERE id = $1
            ) AS said
            WHERE number > $2::bigint ORDER BY number LIMIT $3
            """,
            post,
            _last(after, kind, 0),
            limit + 1,
        )
        said = [Revision(**row) for row in rows]
        return page(said, limit, kind, lambda revision: (revision.number,))

    async def newest(self, limit: int, after: str | None) -> Page[Post]:
        """Posts of all threads, newest first."""
        kind = "posts-newest"
        rows = await self._database.rows(
            f"""
            SELECT {_POST} FROM posts WHERE id < $1 AND {_VISIBLE} ORDER BY id DESC LIMIT $2
            """,  # noqa: S608 - constants
            _last(after, kind, LARGEST_ID),
            limit + 1,
        )
        return page([Post(**row) for row in rows], limit, kind, _key)

    async def by_user(self, user: int, limit: int, after: str | None) -> Page[Post]:
        """What a user wrote, newest first."""
        kind = f"posts-by-user-{user}"
        rows = await self._database.rows(
            f"""
            SELECT {_POST} FROM posts WHERE author = $1 AND id < $2 AND {_VISIBLE}
            ORDER BY id DESC LIMIT $3
            """,  # noqa: S608 - constants
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
            SELECT {_POST} FROM posts
            WHERE thread = $1 AND id > $2 AND removed_at IS NULL
                AND NOT EXISTS (SELECT FROM removed_threads WHERE thread = $1)
            ORDER BY id LIMIT $3
            """,  # noqa: S608 - the columns are the constant above
            thread,
            _last(after, kind, 0),
            limit + 1,
        )
        return page([Post(**row) for row in rows], limit, kind, _key)

    async def search(self, words: str, limit: int, after: str | None) -> Page[Found]:
        """Posts that have the words, best first. The words may be of the form that web search
        takes: quotes, `or`, `-`; nothing is an error. A snippet is taken from the first 5,000
        characters, and has no marks when what was found comes later."""
        kind = f"posts-search-{hashlib.blake2b(words.encode(), digest_size=8).hexdigest()}"
        place = (None, None) if after is None else Cursor.decode(after, kind, 2).keys
        rows = await self._database.rows(
            f"""
            SELECT {_POST}, rank,
                ts_headline(
                    'english',
                    translate(left(text, {_SHOWN_OF}), '{_NO_WORDS}{_MARK}{_END}', '{_STAND_INS}'),
                    query,
                    'StartSel={_MARK}, StopSel={_END}, MaxFragments=2, MaxWords=20, MinWords=8'
                ) AS snippet
            FROM (
                SELECT found.*
                FROM (
                    SELECT posts.*, query, (ts_rank(search, query) * 1000000)::bigint AS rank
                    FROM posts, websearch_to_tsquery('english', $1) AS query
                    WHERE search @@ query AND {_VISIBLE}
                ) AS found
                WHERE $3::bigint IS NULL OR (rank, id) < ($3, $4)
                ORDER BY rank DESC, id DESC LIMIT $2
            ) AS best
            ORDER BY rank DESC, id DESC
            """,  # noqa: S608 - constants
            readable(words.translate(_SEARCHED_FOR)),
            limit + 1,
            *place,
        )
        found = []
        for row in map(dict, rows):
            rank, snippet = row.pop("rank"), _to_html(row.pop("snippet"))
            found.append(Found(Post(**row), snippet, rank))
        return page(found, limit, kind, lambda hit: (hit.rank, hit.post.id))

    async def version(self, thread: int) -> int | None:
        """How many things have happened in a thread; None for one that has been removed."""
        row = await self._database.row(
            """
            SELECT
                (SELECT version FROM thread_activity WHERE thread = $1) AS version,
                EXISTS (SELECT FROM removed_threads WHERE thread = $1) AS removed
            """,
            thread,
        )
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        return None if row["removed"] else row["version"] or 0

    async def events(self, thread: int, after: int) -> Sequence[Event]:
        """What happened in a thread after that version, in order; so much as fits at once."""
        rows = await self._database.rows(
            f"""
            SELECT version, kind, happened.post AS post_id, shown.*
            FROM thread_events AS happened
            LEFT JOIN LATERAL (
                SELECT {_POST} FROM posts WHERE id = happened.post AND removed_at IS NULL
            ) AS shown ON true
            WHERE happened.thread = $1 AND version > $2 ORDER BY version LIMIT $3
            """,  # noqa: S608 - the columns are the constant above
            thread,
            after,
            _EVENTS_AT_ONCE,
        )
        events = []
        for row in map(dict, rows):
            version, kind, post_id = row.pop("version"), row.pop("kind"), row.pop("post_id")
            post = None if row["id"] is None else Post(**row)
            events.append(Event(version, kind, post_id, post))
        return events

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
            # Locked in the order of ids: two who deliver at once never wait for each other.
            """
            WITH known AS (
                SELECT thread FROM thread_activity
                WHERE thread = ANY($1) ORDER BY thread FOR NO KEY UPDATE
            )
            UPDATE thread_activity SET delivered = reported.version
            FROM known, unnest($1::bigint[], $2::bigint[]) AS reported (thread, version)
            WHERE thread_activity.thread = known.thread AND thread_activity.thread = reported.thread
                AND delivered < reported.version
            """,
            [activity.thread for activity in activities],
            [activity.version for activity in activities],
        )

    async def removal_position(self) -> int:
        """How far the removals of threads have been read."""
        row = await self._database.row("SELECT position FROM removals")
        assert row is not None  # noqa: S101 - the migration puts the one row in
        position: int = row["position"]
        return position

    async def apply_removals(self, removals: Removals) -> None:
        """Hide the posts of removed threads, and store the position that has been read."""
        async with self._database.transaction() as connection:
            await connection.execute(
                """
                INSERT INTO removed_threads SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING
                """,
                removals.threads,
            )
            await connection.execute(
                "UPDATE removals SET position = greatest(position, $1)", removals.position
            )
            await connection.execute(
                "SELECT pg_notify($1, thread::text) FROM unnest($2::bigint[]) AS thread",
                THREAD_CHANGED,
                removals.threads,
            )


async def _count(connection: Connection, new: NewPost, now: datetime) -> tuple[int, datetime]:
    """Count the post in its thread's row, and give the version that this makes and the time that
    the post has.

    The row comes before the post: its lock makes ids ascend in the order of commits within a
    thread, so that who reads a thread by id never misses a post that was committed late. Times
    ascend with them, though the clocks of two machines never agree.
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
    assert row is not None  # noqa: S101 - INSERT ... RETURNING gives its row
    return row["version"], row["last_post_at"]


async def _lock(connection: Connection, post: int) -> Post | None:
    """The post, once nobody else touches a post of its thread; None when it is not there."""
    await connection.execute(
        """
        SELECT FROM thread_activity
        WHERE thread = (SELECT thread FROM posts WHERE id = $1) FOR UPDATE
        """,
        post,
    )
    row = await connection.fetchrow(
        f"SELECT {_POST} FROM posts WHERE id = $1 AND {_VISIBLE}",  # noqa: S608
        post,
    )
    return None if row is None else Post(**row)


async def _check_reply(connection: Connection, thread: int, reply_to: int) -> None:
    if not await connection.fetchval(
        "SELECT true FROM posts WHERE id = $1 AND thread = $2 AND removed_at IS NULL",
        reply_to,
        thread,
    ):
        raise Invalid(FieldError("/replyTo", "There is no such post in this thread."))


async def _record_event(connection: Connection, post: Post, version: int, kind: Kind) -> None:
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


def _to_html(headline: str) -> str:
    snippet = html.escape(headline.translate(_STOOD_FOR), quote=False)
    return snippet.replace(_MARK, "<mark>").replace(_END, "</mark>")


def _key(post: Post) -> tuple[int, ...]:
    return (post.id,)


def _last(after: str | None, kind: str, start: int) -> int:
    return start if after is None else Cursor.decode(after, kind, 1).keys[0]
