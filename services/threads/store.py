"""Threads in PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from kernel.contracts import Activity
from kernel.database import Database
from kernel.errors import MalformedRequest
from kernel.pages import Cursor, Page, page
from services.threads.model import Thread

SCHEMA = "0001"
"""The migration that this code needs."""

_THREAD = """
    id, title, created_by, created_at, edited_at, version, post_count, last_post_at, locked, pinned
"""
_ACTIVE = "threads-active"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ThreadStore:
    """Every statement about threads. Raises `Unavailable` when the database is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self) -> None:
        """Raises `Unavailable` unless the database answers and is migrated."""
        await self._database.check_schema(SCHEMA)

    async def add(self, title: str, created_by: int, now: datetime) -> Thread:
        """Keep a new thread."""
        row = await self._database.row(
            f"""
            INSERT INTO threads (title, created_by, created_at) VALUES ($1, $2, $3)
            RETURNING {_THREAD}
            """,  # noqa: S608 - the columns are the constant above
            title,
            created_by,
            now,
        )
        assert row is not None  # noqa: S101 - INSERT ... RETURNING gives its row
        return Thread(**row)

    async def find(self, thread: int) -> Thread | None:
        """The thread, or None."""
        row = await self._database.row(
            f"SELECT {_THREAD} FROM threads WHERE id = $1",  # noqa: S608
            thread,
        )
        return None if row is None else Thread(**row)

    async def active(self, limit: int, after: str | None) -> Page[Thread]:
        """Pinned threads first, then those in which something happened last. Raises
        `MalformedRequest` for a cursor that is none of ours."""
        where = ""
        arguments: tuple[object, ...] = ()
        if after is not None:
            where = "WHERE (pinned, active_at, id) < ($2, $3, $4)"
            arguments = _place(Cursor.decode(after, _ACTIVE, 3))
        rows = await self._database.rows(
            f"""
            SELECT {_THREAD} FROM threads {where}
            ORDER BY pinned DESC, active_at DESC, id DESC LIMIT $1
            """,  # noqa: S608 - constants
            limit + 1,
            *arguments,
        )
        return page([Thread(**row) for row in rows], limit, _ACTIVE, _keys)

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        """Take over each activity that is newer than what the thread has."""
        await self._database.row(
            """
            UPDATE threads
            SET activity_version = told.version, post_count = told.post_count,
                posts_by_others = told.posts_by_others, last_post_at = told.last_post_at
            FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[])
                AS told (thread, version, post_count, posts_by_others, last_post_at)
            WHERE threads.id = told.thread AND threads.activity_version < told.version
            """,
            [activity.thread for activity in activities],
            [activity.version for activity in activities],
            [activity.post_count for activity in activities],
            [activity.posts_by_others for activity in activities],
            [activity.last_post_at for activity in activities],
        )


def _keys(thread: Thread) -> tuple[int, ...]:
    return int(thread.pinned), (thread.active_at - _EPOCH) // _MICROSECOND, thread.id


def _place(cursor: Cursor) -> tuple[bool, datetime, int]:
    pinned, active_at, last = cursor.keys
    try:
        return bool(pinned), _EPOCH + active_at * _MICROSECOND, last
    except OverflowError as error:
        raise MalformedRequest("The cursor in ?after= belongs to another list.") from error
