"""Users and sessions in PostgreSQL."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import asyncpg

from kernel.contracts import Actor, Moderator
from kernel.data import allowance, retention
from kernel.data.database import LARGEST_ID, Connection, Database
from kernel.data.paging import Cursor, Page, page
from kernel.errors import Policy
from kernel.export.export import ALLOWANCES, IDEMPOTENCY_KEYS, NOTICES, Part
from kernel.moderation.log import Subject
from services.users.attempts import name_key
from services.users.model import (
    SESSION_IDLE,
    SESSION_LIFETIME,
    Ban,
    Caller,
    NewUser,
    Session,
    User,
)
from services.users.user_for_update import USABLE_LINK, UserForUpdate, select_user_for_update

SCHEMA = "0008"
"""The migration that this code needs."""

CHANGE_KINDS = frozenset({"list", "user"})
"""The kinds of tags that a trigger sends on the channel of changes: `user/7` who changed, and
`list` for any."""

SUBJECT = Subject(
    words="(SELECT username FROM users WHERE users.id = target)",
    thread="NULL::bigint",
)
"""What a row of the moderation log is about: a user."""

RETENTION = (retention.IDEMPOTENCY_KEYS, retention.Rule("sessions", SESSION_LIFETIME))
"""What is deleted when it is old. An idle session ends sooner, and is deleted with the others."""

_OF_NAME = "name = (SELECT sha256(convert_to(lower(username), 'UTF8')) FROM users WHERE id = $1)"

EXPORTED = (
    Part("users", "id = $1", ("id",), without=("password_hash",)),
    Part("sessions", "user_id = $1", ("id",), without=("token_hash",)),
    Part("bans", "user_id = $1", ("user_id",), without=("banned_by",)),
    Part("password_resets", "user_id = $1", ("user_id",), without=("token_hash", "issued_by")),
    Part("sign_in_attempts", _OF_NAME, ("id",), without=("name",)),
    Part("known_addresses", _OF_NAME, ("address",), without=("name",), few=True),
    NOTICES,
    ALLOWANCES,
    IDEMPOTENCY_KEYS,
)
"""What is stored of a user. `name` is what `services.users.attempts.name_key` returns; usernames
are ASCII, so that PostgreSQL lowers them alike."""

_USER = "id, username, name, bio, email, role, created_at"
_LIST = "users"
_LAST_CHARACTER = "\U0010ffff"
_BEGINNING = """
    SELECT id FROM users
    WHERE lower({column}) COLLATE "C" >= lower($1)
        AND lower({column}) COLLATE "C" < lower($1) || $2 AND deleted_at IS NULL
    ORDER BY lower({column}) COLLATE "C", id LIMIT $3
"""
_REGISTERED_MUCH = "Many people have registered from this address. Try again later."
_TOUCH_AFTER = timedelta(minutes=1)  # so that reading does not write each time


class _FormerUsernameError(Exception):
    """Somebody who has left had this name."""


class UserStore:
    """Every statement about users and sessions but those of `UserForUpdate`. Raises `Unavailable`
    when the database is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def staff(self) -> Sequence[User]:
        """The moderators and the admins."""
        rows = await self._database.rows(f"SELECT {_USER} FROM users WHERE role <> 'member'")  # noqa: S608
        return [User(**row) for row in rows]

    async def moderators(self, now: datetime) -> Sequence[Moderator]:
        """The moderators and admins who are not banned, by id."""
        rows = await self._database.rows(
            """
            SELECT id, username, name, role FROM users
            WHERE role <> 'member' AND NOT EXISTS (
                SELECT FROM bans WHERE bans.user_id = users.id AND (until IS NULL OR until > $1)
            )
            ORDER BY id
            """,
            now,
        )
        return [Moderator(**row) for row in rows]

    async def departed(self, users: Sequence[int]) -> Sequence[int]:
        """Those of these users who have deleted their accounts."""
        rows = await self._database.rows(
            "SELECT id FROM users WHERE id = ANY($1) AND deleted_at IS NOT NULL", users
        )
        return [row["id"] for row in rows]

    async def ban_of(self, user: int, now: datetime) -> Ban | None:
        """The ban of a user that is in force, or None."""
        row = await self._database.row(
            """
            SELECT reason, until FROM bans WHERE user_id = $1 AND (until IS NULL OR until > $2)
            """,
            user,
            now,
        )
        return None if row is None else Ban(**row)

    async def check_may_register(self, address: str, now: datetime, policy: Policy) -> None:
        """Raises `TooManyRequests` when `add` would."""
        await allowance.check(self._database, _address_key(address), policy, now, _REGISTERED_MUCH)

    async def add(
        self, new: NewUser, password_hash: str, address: str, now: datetime, policy: Policy
    ) -> User | None:
        """Store a new user. None when somebody has or had the name, whatever its case. Raises
        `TooManyRequests` for the address."""
        try:
            async with self._database.transaction() as connection:
                row = await connection.fetchrow(
                    f"""
                    INSERT INTO users (username, name, bio, email, password_hash, created_at)
                    VALUES ($1, $2, $3, $4, $5, $6) RETURNING {_USER}
                    """,  # noqa: S608 - the columns are the constant above
                    new.username,
                    new.name,
                    new.bio,
                    new.email,
                    password_hash,
                    now,
                )
                # After the INSERT, which waits for a transaction that gives the name up.
                await _check_former(connection, new.username)
                await allowance.spend(
                    connection, _address_key(address), policy, now, _REGISTERED_MUCH
                )
        except _FormerUsernameError:
            return None
        except asyncpg.UniqueViolationError:
            return None
        assert row is not None  # noqa: S101 - INSERT ... RETURNING returns its row
        return User._make(row)

    @asynccontextmanager
    async def user_for_update(
        self, user: int, now: datetime, *, lock_admins: bool = False
    ) -> AsyncIterator[UserForUpdate | None]:
        """The user, locked in a transaction that commits when the block ends and rolls back when it
        raises; None when there is no such user. With `lock_admins` nobody ceases to be an admin
        meanwhile."""
        async with self._database.transaction() as connection:
            yield await select_user_for_update(connection, user, now, lock_admins=lock_admins)

    async def find(self, user: int) -> User | None:
        """The user, or None."""
        row = await self._database.row(f"SELECT {_USER} FROM users WHERE id = $1", user)  # noqa: S608
        return None if row is None else User._make(row)

    async def find_many(self, users: Sequence[int], limit: int, after: str | None) -> Page[User]:
        """Those of these users that there are, by id. Raises `MalformedRequest` for a cursor that
        is none of ours."""
        rows = await self._database.rows(
            f"""
            SELECT {_USER} FROM users WHERE id = ANY($1) AND id > $2 ORDER BY id LIMIT $3
            """,  # noqa: S608 - the columns are the constant above
            users,
            _last(after),
            limit + 1,
        )
        return page([User._make(row) for row in rows], limit, _LIST, _id)

    async def named(self, username: str) -> User | None:
        """The user of this name, whatever its case, or None."""
        row = await self._database.row(
            f"SELECT {_USER} FROM users WHERE lower(username) = lower($1)",  # noqa: S608
            username,
        )
        return None if row is None else User._make(row)

    async def search(self, beginning: str, limit: int) -> Sequence[User]:
        """People whose usernames or names begin so, whatever the case, by username."""
        rows = await self._database.rows(
            f"""
            SELECT {_USER} FROM users WHERE id IN (
                ({_BEGINNING.format(column="username")}) UNION ({_BEGINNING.format(column="name")})
            )
            ORDER BY lower(username) COLLATE "C" LIMIT $3
            """,  # noqa: S608 - constants
            beginning,
            _LAST_CHARACTER,
            limit,
        )
        return [User(**row) for row in rows]

    async def list(self, limit: int, after: str | None) -> Page[User]:
        """Users by id. Raises `MalformedRequest` for a cursor that is none of ours."""
        rows = await self._database.rows(
            f"SELECT {_USER} FROM users WHERE id > $1 ORDER BY id LIMIT $2",  # noqa: S608
            _last(after),
            limit + 1,
        )
        return page([User._make(row) for row in rows], limit, _LIST, _id)

    async def password_of(self, username: str) -> tuple[User, str | None] | None:
        """The user of this name and the hash of their password, or None. Who has left has none."""
        row = await self._database.row(
            f"SELECT {_USER}, password_hash FROM users WHERE lower(username) = lower($1)",  # noqa: S608
            username,
        )
        if row is None:
            return None
        columns = dict(row)
        password_hash = columns.pop("password_hash")
        return User(**columns), password_hash

    async def owner_of_reset(self, token_hash: bytes, now: datetime) -> User | None:
        """The user whose password a link can set. None if the link is unknown, used or too old, or
        if its creator is no longer an admin."""
        row = await self._database.row(
            f"SELECT {_USER} FROM users WHERE id = ({USABLE_LINK})",  # noqa: S608 - constants
            token_hash,
            now,
        )
        return None if row is None else User._make(row)

    async def use_session(self, token_hash: bytes, now: datetime) -> Caller | None:
        """Who holds the session, or None when it has ended. Its use is noted to the minute."""
        row = await self._database.row(
            """
            SELECT sessions.id AS session, last_used_at, users.id, users.role, reason, until
            FROM sessions
            JOIN users ON users.id = sessions.user_id
            LEFT JOIN bans ON bans.user_id = users.id AND (until IS NULL OR until > $4)
            WHERE token_hash = $1 AND last_used_at > $2 AND sessions.created_at > $3
            """,
            token_hash,
            now - SESSION_IDLE,
            now - SESSION_LIFETIME,
            now,
        )
        if row is None:
            return None
        if now - row["last_used_at"] > _TOUCH_AFTER:
            await self._database.row(
                "UPDATE sessions SET last_used_at = greatest(last_used_at, $2) WHERE id = $1",
                row["session"],
                now,
            )
        ban = None if row["reason"] is None else Ban(row["reason"], row["until"])
        return Caller(row["session"], Actor(row["id"], row["role"]), ban)

    async def sessions(
        self, caller: Caller, now: datetime, limit: int, after: str | None
    ) -> Page[Session]:
        """The caller's sessions that have not ended, newest first. Raises `MalformedRequest` for a
        cursor that is none of ours."""
        kind = f"sessions-{caller.actor.id}"
        rows = await self._database.rows(
            """
            SELECT id, created_at, last_used_at, user_agent, id = $2 AS current FROM sessions
            WHERE user_id = $1 AND last_used_at > $3 AND created_at > $4 AND id < $5
            ORDER BY id DESC LIMIT $6
            """,
            caller.actor.id,
            caller.session,
            now - SESSION_IDLE,
            now - SESSION_LIFETIME,
            LARGEST_ID if after is None else Cursor.decode(after, kind, 1).keys[0],
            limit + 1,
        )
        found = [Session(**row) for row in rows]
        return page(found, limit, kind, lambda session: (session.id,))

    async def end_session(self, user: int, session: int) -> bool:
        """Delete the session. False when the user has no such one."""
        row = await self._database.row(
            "DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING id", session, user
        )
        return row is not None


def _last(after: str | None) -> int:
    return 0 if after is None else Cursor.decode(after, _LIST, 1).keys[0]


def _id(user: User) -> tuple[int, ...]:
    return (user.id,)


async def _check_former(connection: Connection, username: str) -> None:
    if await connection.fetchval(
        "SELECT true FROM former_usernames WHERE name = $1", name_key(username)
    ):
        raise _FormerUsernameError


def _address_key(address: str) -> str:
    # A hash is enough to recognise the address, and does not reveal it.
    return hashlib.sha256(address.encode()).hexdigest()
