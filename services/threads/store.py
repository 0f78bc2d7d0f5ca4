"""Threads in PostgreSQL."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from kernel.contracts import Activity, Order, Removals, ThreadChange
from kernel.data import allowance
from kernel.data.database import LARGEST_ID, Database
from kernel.data.idempotency import IdempotentWrite
from kernel.data.paging import Cursor, Page, page, previous_cursor
from kernel.data.user_limit import enforce_user_limit
from kernel.errors import MalformedRequest, Policy, Stale
from kernel.export.export import ALLOWANCES, IDEMPOTENCY_KEYS, LAST_DONE, NOTICES, Part
from kernel.moderation.log import Subject, record
from kernel.search.dictionary import Dictionary
from kernel.search.words import cut, encode
from services.threads.model import Decide, Mark, Thread

SCHEMA = "0008"
"""The migration that this code needs."""

THREAD_REMOVED = "removed"
"""NOTIFY channel; a thread has been removed. The payload is empty."""

CHANGE_KINDS = frozenset({"list", "thread"})
"""The kinds of tags that a trigger sends on the channel of changes: `thread/7` that changed, and
`list` for any."""

THREAD_COLUMNS = """
    id, title, created_by, created_at, edited_at, version, post_count, posts_by_others,
    last_post_at, last_post_by, locked, pinned
"""
"""The columns of `services.threads.model.Thread`."""

SUBJECT = Subject(
    words="(SELECT title FROM threads WHERE threads.id = target)",
    thread="target",
)
"""What a row of the moderation log is about: a thread."""

EXPORTED = (
    Part("threads", "created_by = $1", ("id",), without=("search", "indexed_at")),
    NOTICES,
    LAST_DONE,
    ALLOWANCES,
    IDEMPOTENCY_KEYS,
)
"""What is stored of a user."""

_EDITED_MUCH = "You have changed many titles today. Try again tomorrow."
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_REMOVALS_AT_ONCE = 1000


class ThreadStore:
    """Every statement about threads. Raises `Unavailable` when the database is down, and
    `MalformedRequest` for a cursor that is none of ours. A removed thread is not there. A method
    with `decide` raises what that raises, and records the act that it returns."""

    def __init__(self, database: Database, dictionary: Dictionary) -> None:
        self._database = database
        self._dictionary = dictionary

    async def add(
        self,
        title: str,
        created_by: int,
        now: datetime,
        policy: Policy,
        write: IdempotentWrite[Thread],
    ) -> Thread:
        """Store a new thread. Raises `TooManyRequests`, and what `write.begin` raises."""
        words = [word.text for word in cut(title)]
        async with self._database.transaction() as connection:
            await write.begin(connection, created_by, now)
            await enforce_user_limit(
                connection,
                created_by,
                policy,
                now,
                "You have just started a thread. Wait a little.",
            )
            row = await connection.fetchrow(
                f"""
                INSERT INTO threads (title, created_by, created_at, search, indexed_at)
                VALUES ($1, $2, $3, to_tsvector('english', $4), $3) RETURNING {THREAD_COLUMNS}
                """,  # noqa: S608 - the columns are the constant above
                title,
                created_by,
                now,
                encode(words),
            )
            assert row is not None  # noqa: S101 - INSERT ... RETURNING returns its row
            thread = Thread._make(row)
            await self._dictionary.add(connection, words)
            await write.finish(connection, created_by, now, thread)
        self._dictionary.committed(words)
        return thread

    async def find(self, thread: int) -> Thread | None:
        """The thread, or None."""
        row = await self._database.row(
            f"SELECT {THREAD_COLUMNS} FROM threads WHERE id = $1 AND removal IS NULL",  # noqa: S608
            thread,
        )
        return None if row is None else Thread._make(row)

    async def was_removed(self, thread: int) -> bool:
        """Whether there was such a thread, and it has been removed."""
        row = await self._database.row(
            "SELECT FROM threads WHERE id = $1 AND removal IS NOT NULL", thread
        )
        return row is not None

    async def changes(self, first: int, last: int) -> Sequence[ThreadChange]:
        """When something last happened in each thread with an id from `first` to `last`."""
        rows = await self._database.rows(
            """
            SELECT id, greatest(created_at, edited_at, last_post_at) AS at FROM threads
            WHERE id BETWEEN $1 AND $2 AND removal IS NULL ORDER BY id
            """,
            first,
            last,
        )
        return [ThreadChange(row["id"], row["at"]) for row in rows]

    async def find_many(
        self, threads: Sequence[int], limit: int, after: str | None
    ) -> Page[Thread]:
        """Those of these threads that there are, the newest first."""
        kind = "threads-by-id"
        rows = await self._database.rows(
            f"""
            SELECT {THREAD_COLUMNS} FROM threads
            WHERE id = ANY($1) AND id < $2 AND removal IS NULL ORDER BY id DESC LIMIT $3
            """,  # noqa: S608 - the columns are the constant above
            threads,
            LARGEST_ID if after is None else Cursor.decode(after, kind, 1).keys[0],
            limit + 1,
        )
        return page([Thread(**row) for row in rows], limit, kind, _id)

    async def list(
        self, order: Order, created_by: int | None, limit: int, after: str | None
    ) -> Page[Thread]:
        """Threads, of one user where that is given: pinned ones first and then those in which
        something happened last, or the newest first."""
        where, arguments = "removal IS NULL", [*_place(after, _kind_of(order, created_by), order)]
        if arguments:
            where += f" AND {_compared(order, '<', arguments)}"
        if created_by is not None:
            arguments.append(created_by)
            where += f" AND created_by = ${len(arguments) + 1}"
        rows = await self._database.rows(
            f"""
            SELECT {THREAD_COLUMNS} FROM threads WHERE {where}
            ORDER BY {_sorted(order, "DESC")} LIMIT $1
            """,  # noqa: S608 - constants and numbered places
            limit + 1,
            *arguments,
        )
        threads = [Thread._make(row) for row in rows]
        return page(threads, limit, _kind_of(order, created_by), _PLACES[order])

    async def before(
        self, order: Order, created_by: int | None, after: str, limit: int
    ) -> str | None:
        """The cursor of the page of `list` before the one at this cursor; empty for the first page,
        None if there is none."""
        kind = _kind_of(order, created_by)
        arguments = [*_place(after, kind, order)]
        where = f"removal IS NULL AND {_compared(order, '>=', arguments)}"
        if created_by is not None:
            arguments.append(created_by)
            where += f" AND created_by = ${len(arguments) + 1}"
        rows = await self._database.rows(
            f"""
            SELECT {THREAD_COLUMNS} FROM threads WHERE {where}
            ORDER BY {_sorted(order, "ASC")} LIMIT $1
            """,  # noqa: S608 - constants and numbered places
            limit + 1,
            *arguments,
        )
        places = [_PLACES[order](Thread._make(row)) for row in rows]
        return previous_cursor(places, limit, kind)

    async def edit(
        self,
        thread: int,
        title: str,
        version: int,
        actor: int,
        now: datetime,
        policy: Policy,
        decide: Decide,
    ) -> Thread | None:
        """Change the title, or None when there is no such thread. A title that is the same already
        changes nothing. Raises `Stale` unless it has this version, and `TooManyRequests` for the
        actor."""
        words = [word.text for word in cut(title)]
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(f"{_LOCKED} FOR UPDATE", thread)
            if row is None:
                return None
            found = Thread._make(row)
            act = decide(found)
            if found.version != version:
                raise Stale(f"The thread has version {found.version} by now. Read it again.")
            if found.title == title:
                return found
            await allowance.spend(connection, str(actor), policy, now, _EDITED_MUCH)
            if act is not None:
                await record(connection, act, now)
            row = await connection.fetchrow(
                f"""
                UPDATE threads SET title = $2, edited_at = $3, version = version + 1,
                    search = to_tsvector('english', $4), indexed_at = $3
                WHERE id = $1 RETURNING {THREAD_COLUMNS}
                """,  # noqa: S608 - the columns are the constant above
                thread,
                title,
                now,
                encode(words),
            )
            await self._dictionary.add(connection, words)
        self._dictionary.committed(words)
        assert row is not None  # noqa: S101 - the row is locked
        return Thread._make(row)

    async def mark(
        self, thread: int, mark: Mark, value: bool, now: datetime, decide: Decide
    ) -> bool:
        """Lock or pin the thread, or the opposite. False when there is no such thread. An act
        without a key that changes nothing is not recorded; one whose key has been recorded changes
        nothing."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(f"{_LOCKED} FOR UPDATE", thread)
            if row is None:
                return False
            found = Thread._make(row)
            act = decide(found)
            changes = (found.locked if mark == "locked" else found.pinned) is not value
            if act is not None and (changes or act.key is not None):
                changes = await record(connection, act, now) and changes
            if changes:
                await connection.execute(
                    f"UPDATE threads SET {mark} = $2, version = version + 1 WHERE id = $1",  # noqa: S608 - one of two column names
                    thread,
                    value,
                )
        return True

    async def remove(self, thread: int, now: datetime, decide: Decide) -> bool:
        """Remove the thread, and notify. False when there is no such thread."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(f"{_LOCKED} FOR UPDATE", thread)
            if row is None:
                return False
            act = decide(Thread._make(row))
            if act is not None:
                await record(connection, act, now)
            await connection.execute(
                """
                WITH counted AS (UPDATE removals SET last = last + 1 RETURNING last)
                UPDATE threads SET removal = counted.last FROM counted WHERE id = $1
                """,
                thread,
            )
            await connection.execute("SELECT pg_notify($1, '')", THREAD_REMOVED)
        return True

    async def removed(self, after: int) -> Removals:
        """Some of the threads removed since that position, in order."""
        rows = await self._database.rows(
            "SELECT id, removal FROM threads WHERE removal > $1 ORDER BY removal LIMIT $2",
            after,
            _REMOVALS_AT_ONCE,
        )
        return Removals([row["id"] for row in rows], rows[-1]["removal"] if rows else after)

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        """Store each activity that is newer than the thread's."""
        await self._database.row(
            # Locked in the order of ids: two who deliver at once never wait for each other.
            """
            WITH known AS (
                SELECT id FROM threads WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE
            )
            UPDATE threads
            SET activity_version = reported.version, post_count = reported.post_count,
                posts_by_others = reported.posts_by_others, last_post_at = reported.last_post_at,
                last_post_by = reported.last_post_by
            FROM known,
                unnest(
                    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[],
                    $6::bigint[]
                ) AS reported (
                    thread, version, post_count, posts_by_others, last_post_at, last_post_by
                )
            WHERE threads.id = known.id AND threads.id = reported.thread
                AND threads.activity_version < reported.version
            """,
            [activity.thread for activity in activities],
            [activity.version for activity in activities],
            [activity.post_count for activity in activities],
            [activity.posts_by_others for activity in activities],
            [activity.last_post_at for activity in activities],
            [activity.last_post_by for activity in activities],
        )


_KEYS: Final[dict[Order, tuple[str, ...]]] = {
    "active": ("pinned", "active_at", "id"),
    "new": ("id",),
}
_LOCKED = f"SELECT {THREAD_COLUMNS} FROM threads WHERE id = $1 AND removal IS NULL"  # noqa: S608


def _active_place(thread: Thread) -> tuple[int, ...]:
    return int(thread.pinned), (thread.active_at - _EPOCH) // _MICROSECOND, thread.id


def _id(thread: Thread) -> tuple[int, ...]:
    return (thread.id,)


_PLACES: Final[dict[Order, Callable[[Thread], tuple[int, ...]]]] = {
    "active": _active_place,
    "new": _id,
}


def _kind_of(order: Order, created_by: int | None) -> str:
    return f"threads-{order}-{created_by or 'all'}"


def _compared(order: Order, operator: str, place: Sequence[object]) -> str:
    places = ", ".join(f"${number}" for number in range(2, 2 + len(place)))
    return f"({', '.join(_KEYS[order])}) {operator} ({places})"


def _sorted(order: Order, direction: str) -> str:
    return ", ".join(f"{key} {direction}" for key in _KEYS[order])


def _place(after: str | None, kind: str, order: Order) -> tuple[object, ...]:
    if after is None:
        return ()
    if order == "new":
        return Cursor.decode(after, kind, 1).keys
    pinned, active_at, last = Cursor.decode(after, kind, 3).keys
    try:
        return bool(pinned), _EPOCH + active_at * _MICROSECOND, last
    except OverflowError as error:
        raise MalformedRequest("The cursor in ?after= belongs to another list.") from error
