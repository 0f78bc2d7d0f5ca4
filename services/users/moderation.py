"""What moderators and admins do about others: roles, bans, and links for a new password."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Protocol

from kernel.contracts import Actor, Role, Users
from kernel.errors import FieldError, Forbidden, Invalid, NotFound
from kernel.process.clock import Clock
from services.users import tokens
from services.users.model import RESET_LIFETIME, Ban, ResetLink, Standing, User


class LockedUser(Protocol):
    """A user whose row is locked, and what others may change about them.
    `services.users.user_for_update.UserForUpdate` has it in PostgreSQL."""

    standing: Standing

    async def set_role(self, role: Role) -> User: ...

    async def ban(self, ban: Ban, banned_by: int) -> None: ...

    async def lift_ban(self) -> None: ...

    async def store_reset_link(self, link: ResetLink, token_hash: bytes, admin: int) -> None: ...


class Store(Protocol):
    """What `Moderation` needs of its store."""

    def user_for_update(
        self, user: int, now: datetime, *, lock_admins: bool = False
    ) -> AbstractAsyncContextManager[LockedUser | None]: ...


class Moderation:
    """The rules of deciding about others. Every method raises `Unauthenticated`, `Banned`,
    `Forbidden` for who may not, `NotFound`, and `Conflict` for who has left."""

    def __init__(self, store: Store, users: Users, clock: Clock) -> None:
        self._store = store
        self._users = users
        self._clock = clock

    async def set_role(self, token: str, user: int, role: Role) -> User:
        """Give somebody a role, for admins. Raises `Conflict` when that would leave no admin, or
        raise somebody who is banned."""
        await self._check_admin(token)
        async with self._user_for_update(user, lock_admins=True) as locked:
            locked.standing.check_may_become(role)
            return await locked.set_role(role)

    async def ban(self, token: str, user: int, ban: Ban) -> None:
        """Ban somebody of a lower role; their sessions end. Raises `Invalid` for an end that has
        passed."""
        actor = await self._check_moderates(token)
        async with self._user_for_update(user) as locked:
            locked.standing.check_bannable(actor)
            if ban.until is not None and ban.until <= self._clock():
                raise Invalid(FieldError("/until", "The end of a ban must be in the future."))
            await locked.ban(ban, actor.id)

    async def lift_ban(self, token: str, user: int) -> None:
        """Let somebody of a lower role take part again."""
        actor = await self._check_moderates(token)
        async with self._user_for_update(user) as locked:
            locked.standing.check_bannable(actor)
            await locked.lift_ban()

    async def issue_reset(self, token: str, user: int) -> ResetLink:
        """Make a link with which somebody can set a new password, for admins. Older ones of theirs
        work no longer, and this one only while its maker is an admin."""
        admin = await self._check_admin(token)
        link = ResetLink(tokens.new(), self._clock() + RESET_LIFETIME)
        async with self._user_for_update(user) as locked:
            locked.standing.check_is_here()
            await locked.store_reset_link(link, tokens.hashed(link.token), admin.id)
        return link

    @asynccontextmanager
    async def _user_for_update(
        self, user: int, *, lock_admins: bool = False
    ) -> AsyncIterator[LockedUser]:
        async with self._store.user_for_update(
            user, self._clock(), lock_admins=lock_admins
        ) as locked:
            if locked is None:
                raise NotFound("There is no such user.")
            yield locked

    async def _check_moderates(self, token: str) -> Actor:
        actor = await self._users.authenticate(token)
        if not actor.moderates:
            raise Forbidden("This is for moderators.")
        return actor

    async def _check_admin(self, token: str) -> Actor:
        actor = await self._users.authenticate(token)
        if actor.role != "admin":
            raise Forbidden("This is for admins.")
        return actor
