"""A user whose row is locked, so that a decision about them and its effect are one transaction."""

from datetime import datetime

from kernel.contracts import Role
from kernel.data import allowance
from kernel.data.database import Connection
from kernel.errors import Policy
from kernel.moderation.log import Act, record
from services.users.attempts import name_key
from services.users.model import (
    SESSION_IDLE,
    SESSION_LIFETIME,
    Ban,
    ProfileChanges,
    ResetLink,
    Standing,
    User,
)

_EDITED_MUCH = "You have changed your profile often today. Try again tomorrow."
_ADMINS = 0x61646D696E73  # "admins"


async def select_user_for_update(
    connection: Connection, user: int, now: datetime, *, lock_admins: bool
) -> "UserForUpdate | None":
    """Lock the user's row until the transaction ends and read their standing; None when there is
    no such user. With `lock_admins`, nobody can stop being an admin meanwhile; somebody may still
    become one."""
    if lock_admins:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _ADMINS)
    # The standing is read by a separate statement: this one may have waited with an old snapshot.
    await connection.execute("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE", user)
    row = await connection.fetchrow(
        """
        SELECT id, username, name, bio, email, role, users.created_at, password_hash,
            reason, until,
            (SELECT count(*) FROM users WHERE role = 'admin' AND id <> $1) AS other_admins
        FROM users
        LEFT JOIN bans ON user_id = id AND (until IS NULL OR until > $2)
        WHERE id = $1
        """,
        user,
        now,
    )
    if row is None:
        return None
    columns = dict(row)
    reason, until = columns.pop("reason"), columns.pop("until")
    standing = Standing(
        password_hash=columns.pop("password_hash"),
        other_admins=columns.pop("other_admins"),
        ban=None if reason is None else Ban(reason, until),
        user=User(**columns),
    )
    return UserForUpdate(connection, standing, now)


USABLE_LINK = """
    SELECT password_resets.user_id
    FROM password_resets
    JOIN users AS issuer ON issuer.id = issued_by AND issuer.role = 'admin'
    WHERE token_hash = $1 AND expires_at > $2
        AND NOT EXISTS (
            SELECT FROM bans WHERE bans.user_id = issuer.id AND (until IS NULL OR until > $2)
        )
"""
"""The query for the user whose password a link can set, by the hash of its token, now."""


class UserForUpdate:
    """The changes to a locked user. Check `standing` first. Valid until the transaction ends, and
    for one change."""

    def __init__(self, connection: Connection, standing: Standing, now: datetime) -> None:
        self._connection = connection
        self._id = standing.user.id
        self._now = now
        self.standing = standing

    async def edit(self, changes: ProfileChanges, policy: Policy) -> User:
        """Change the profile, and return the user. The same values change nothing. Raises
        `TooManyRequests`."""
        user = self.standing.user._replace(**changes)
        if user == self.standing.user:
            return user
        await allowance.spend(self._connection, str(self._id), policy, self._now, _EDITED_MUCH)
        await self._connection.execute(
            "UPDATE users SET name = $2, bio = $3, email = $4 WHERE id = $1",
            self._id,
            user.name,
            user.bio,
            user.email,
        )
        return user

    async def set_role(self, role: Role) -> User:
        """Change the role, and return the user."""
        await self._connection.execute("UPDATE users SET role = $2 WHERE id = $1", self._id, role)
        return self.standing.user._replace(role=role)

    async def start_session(self, token_hash: bytes, user_agent: str | None) -> None:
        """Store a new session, and delete the user's expired ones."""
        await self._connection.execute(
            "DELETE FROM sessions WHERE user_id = $1 AND (last_used_at <= $2 OR created_at <= $3)",
            self._id,
            self._now - SESSION_IDLE,
            self._now - SESSION_LIFETIME,
        )
        await self._connection.execute(
            """
            INSERT INTO sessions (user_id, token_hash, user_agent, created_at, last_used_at)
            VALUES ($1, $2, $3, $4, $4)
            """,
            self._id,
            token_hash,
            user_agent,
            self._now,
        )

    async def set_password(self, password_hash: str, keep_session: int | None = None) -> None:
        """Set the password, and delete every session except `keep_session` and links for a new
        password: somebody who knew the old password has no more access."""
        await self._connection.execute(
            "UPDATE users SET password_hash = $2 WHERE id = $1", self._id, password_hash
        )
        await self._connection.execute(
            "DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2",
            self._id,
            keep_session,
        )
        await self._connection.execute("DELETE FROM password_resets WHERE user_id = $1", self._id)

    async def store_reset_link(self, link: ResetLink, token_hash: bytes, admin: int) -> None:
        """Store a link for a new password that this admin has created, replacing older ones."""
        await self._connection.execute(
            """
            INSERT INTO password_resets (user_id, token_hash, expires_at, issued_by)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (user_id) DO UPDATE SET
                token_hash = excluded.token_hash, expires_at = excluded.expires_at,
                issued_by = excluded.issued_by
            """,
            self._id,
            token_hash,
            link.expires_at,
            admin,
        )

    async def has_reset_link(self, token_hash: bytes) -> bool:
        """Whether this link for a new password still works."""
        owner = await self._connection.fetchval(USABLE_LINK, token_hash, self._now)
        return bool(owner == self._id)

    async def clear_failed_sign_ins(self) -> None:
        """Delete the failed sign-ins that were counted for the user's name."""
        await self._connection.execute(
            "DELETE FROM sign_in_attempts WHERE name = $1", name_key(self.standing.user.username)
        )

    async def ban(self, ban: Ban, banned_by: int) -> None:
        """Ban the user, replacing an earlier ban, and end all sessions."""
        await self._connection.execute(
            """
            INSERT INTO bans (user_id, reason, until, banned_by, created_at)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (user_id) DO UPDATE SET
                reason = excluded.reason, until = excluded.until,
                banned_by = excluded.banned_by, created_at = excluded.created_at
            """,
            self._id,
            ban.reason,
            ban.until,
            banned_by,
            self._now,
        )
        await self._connection.execute("DELETE FROM sessions WHERE user_id = $1", self._id)

    async def lift_ban(self) -> None:
        """Lift the ban."""
        await self._connection.execute("DELETE FROM bans WHERE user_id = $1", self._id)

    async def record(self, act: Act) -> bool:
        """Write this act to the moderation log. Returns False if it has an act with the same
        key."""
        return await record(self._connection, act, self._now)

    async def leave(self) -> None:
        """Delete the personal data. The row stays, as the author of posts, and a hash of the
        username, so that nobody can take it."""
        name = name_key(self.standing.user.username)
        await self._connection.execute(
            "INSERT INTO former_usernames VALUES ($1) ON CONFLICT DO NOTHING", name
        )
        await self._connection.execute("DELETE FROM password_resets WHERE issued_by = $1", self._id)
        await self.clear_failed_sign_ins()
        for table in ("sessions", "bans", "password_resets", "idempotency_keys"):
            await self._connection.execute(
                f"DELETE FROM {table} WHERE user_id = $1",  # noqa: S608 - the names just above
                self._id,
            )
        await self._connection.execute("DELETE FROM allowances WHERE subject = $1", str(self._id))
        await self._connection.execute(
            "UPDATE moderation_log SET reason = NULL WHERE user_id = $1", self._id
        )
        # After the failed sign-ins, in the same order as a sign-in, so that the two cannot
        # deadlock.
        await self._connection.execute("DELETE FROM known_addresses WHERE name = $1", name)
        await self._connection.execute(
            """
            UPDATE users SET
                username = 'deleted-' || id, name = 'Deleted user', bio = '', email = NULL,
                role = 'member', password_hash = NULL, deleted_at = $2
            WHERE id = $1
            """,
            self._id,
            self._now,
        )
