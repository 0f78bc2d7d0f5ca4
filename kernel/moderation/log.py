"""The acts of moderators and admins, in a table of each context's own database.

The row of an act is written in the transaction of its effect: neither exists without the other,
whatever crashes. Rows are never deleted.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from kernel.contracts import Users
from kernel.data.database import LARGEST_ID, Connection, Database
from kernel.data.paging import Cursor, Page, page
from kernel.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a moderator or an admin does to others or to what others wrote.

    `target` is the id of what it changes: a post, a thread or a user, as `name` says. `user` is the
    id of the user it is done to: the author of a post or thread, or the target itself. That user
    may read `reason`. `key` identifies an act that another context asks for, and may ask for again.
    """

    name: str
    moderator: int
    target: int
    user: int
    reason: str | None = None
    key: str | None = None


async def record(connection: Connection, act: Act, now: datetime) -> bool:
    """Write the row of an act, in the transaction that carries the act out. Returns False if an act
    with its key was recorded before: it must not be carried out again."""
    recorded = await connection.fetchval(
        """
        INSERT INTO moderation_log (at, moderator, act, target, user_id, reason, key)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING RETURNING true
        """,
        now,
        act.moderator,
        act.name,
        act.target,
        act.user,
        act.reason,
        act.key,
    )
    return recorded is not None


class Entry(NamedTuple):
    """An act in the log. `about` is what it was done to, in words; None if that is gone. `thread`
    is the thread in which it was done, if it was done in one."""

    id: int
    at: datetime
    moderator: int
    act: str
    target: int
    thread: int | None
    user: int
    about: str | None
    reason: str | None


class Notice(NamedTuple):
    """An act, as the user it was done to may see it."""

    id: int
    at: datetime
    act: str
    target: int
    thread: int | None
    about: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """SQL expressions for what a row of `moderation_log` is about: in words, and the id of its
    thread."""

    words: str
    thread: str


class ModerationLog:
    """Reads the log of one context, whose rows are about `subject`. Every method raises
    `Unauthenticated`, `Banned`, `MalformedRequest` for a cursor of another list, and
    `Unavailable`."""

    def __init__(self, database: Database, users: Users, subject: Subject) -> None:
        self._database = database
        self._users = users
        self._words, self._thread = subject.words, subject.thread

    async def acts(self, token: str, limit: int, after: str | None) -> Page[Entry]:
        """Every act, the newest first, for moderators. Raises `Forbidden`."""
        actor = await self._users.authenticate(token)
        if not actor.moderates:
            raise Forbidden("This is for moderators.")
        kind = "moderation-log"
        rows = await self._database.rows(
            f"""
            SELECT id, at, moderator, act, target, {self._thread}, user_id, {self._words}, reason
            FROM moderation_log WHERE id < $1 ORDER BY id DESC LIMIT $2
            """,  # noqa: S608 - constants of the context
            _last(after, kind),
            limit + 1,
        )
        return page([Entry._make(row) for row in rows], limit, kind, _id)

    async def notices(self, token: str, limit: int, after: str | None) -> Page[Notice]:
        """What others did to the caller and to what the caller wrote, the newest first."""
        actor = await self._users.authenticate(token)
        kind = f"notices-of-{actor.id}"
        rows = await self._database.rows(
            f"""
            SELECT id, at, act, target, {self._thread}, {self._words}, reason
            FROM moderation_log
            WHERE user_id = $1 AND user_id <> moderator AND id < $2 ORDER BY id DESC LIMIT $3
            """,  # noqa: S608 - constants of the context
            actor.id,
            _last(after, kind),
            limit + 1,
        )
        return page([Notice._make(row) for row in rows], limit, kind, _id)


def _last(after: str | None, kind: str) -> int:
    return LARGEST_ID if after is None else Cursor.decode(after, kind, 1).keys[0]


def _id(row: Entry | Notice) -> tuple[int, ...]:
    return (row.id,)
