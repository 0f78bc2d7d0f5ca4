"""Events and activity of threads, for streams and for delivery to the threads context."""

from collections.abc import Sequence

from kernel.contracts import Activity
from kernel.data.database import Database
from kernel.data.paging import LARGEST_PAGE
from services.posts.model import Event, Post
from services.posts.store import POST_COLUMNS

_EVENTS_AT_ONCE = 100


class ActivityStore:
    """Reads the events of threads, and the activity that threads has not acknowledged. Raises
    `Unavailable` if the database is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self, thread: int) -> int | None:
        """The number of events of a thread; None for a removed thread."""
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

    async def oldest_event(self, thread: int) -> int | None:
        """The version of the thread's first event that is still stored, or None."""
        row = await self._database.row(
            "SELECT min(version) AS version FROM thread_events WHERE thread = $1", thread
        )
        assert row is not None  # noqa: S101 - an aggregate has one row
        version: int | None = row["version"]
        return version

    async def events(self, thread: int, after: int) -> Sequence[Event]:
        """The events of a thread after that version, in order, as many as fit into one batch."""
        rows = await self._database.rows(
            f"""
            SELECT version, kind, post_id, shown.*
            FROM (
                SELECT *, sum(size) OVER (ORDER BY version) - size AS before
                FROM (
                    SELECT version, kind, happened.post AS post_id,
                        coalesce(octet_length(text) + octet_length(html), 0) AS size
                    FROM thread_events AS happened
                    LEFT JOIN posts ON posts.id = happened.post AND removed_at IS NULL
                    WHERE happened.thread = $1 AND version > $2 ORDER BY version LIMIT $3
                ) AS weighed
            ) AS next
            LEFT JOIN LATERAL (
                SELECT {POST_COLUMNS} FROM posts WHERE id = post_id AND removed_at IS NULL
            ) AS shown ON true
            WHERE before <= {LARGEST_PAGE} ORDER BY version
            """,  # noqa: S608 - constants
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
        """Activities that are newer than those that threads has acknowledged."""
        rows = await self._database.rows(
            """
            SELECT thread, version, post_count, posts_by_others, last_post_at, (
                SELECT author FROM posts
                WHERE posts.thread = thread_activity.thread AND removed_at IS NULL
                ORDER BY id DESC LIMIT 1
            ) AS last_post_by
            FROM thread_activity WHERE version > delivered ORDER BY thread LIMIT $1
            """,
            limit,
        )
        return [Activity(**row) for row in rows]

    async def mark_delivered(self, activities: Sequence[Activity]) -> None:
        """Store that threads has acknowledged these activities."""
        await self._database.row(
            # Locked in the order of ids, so that concurrent deliveries cannot deadlock.
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
