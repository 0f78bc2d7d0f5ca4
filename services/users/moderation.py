"""Moderators' and admins' actions on other users: roles, bans, and links for a new password."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Protocol

from kernel.contracts import Actor, Moderator, Role, Users
from kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from kernel.moderation.log import Act
from kernel.process.clock import Clock
from services.users import tokens
from services.users.model import RESET_LIFETIME, Ban, ResetLink, Standing, User


class LockedUser(Protocol):
    """A user whose row is locked, and what others may change about them. In PostgreSQL,
    `services.users.user_for_update.UserForUpdate`."""

    standing: Standing

    async def set_role(self, role: Role) -> User: ...

    async def ban(self, ban: Ban, banned_by: int) -> None: ...

    async def lift_ban(self) -> None: ...

    async def record(self, act: Act) -> bool: ...

    async def store_reset_link(self, link: ResetLink, token_hash: bytes, admin: int) -> None: ...


class Store(Protocol):
    """What `Moderation` needs of its store."""

    def user_for_update(
        self, user: int, now: datetime, *, lock_admins: bool = False
    ) -> AbstractAsyncContextManager[LockedUser | None]: ...

    async def find(self, user: int) -> User | None: ...

    async def ban_of(self, user: int, now: datetime) -> Ban | None: ...

    async def moderators(self, now: datetime) -> Sequence[Moderator]: ...

    async def departed(self, users: Sequence[int]) -> Sequence[int]: ...


class Moderation:
    """The rules for actions on other users. Implements `kernel.contracts.UserModeration` in
    process. Every method with a token raises `Unauthenticated`, `Banned`, `Forbidden` if the caller
    may not do this, `NotFound`, and `Conflict` for a deleted user."""

    def __init__(self, store: Store, users: Users, clock: Clock) -> None:
        self._store = store
        self._users = users
        self._clock = clock

    async def set_role(self, token: str, user: int, role: Role) -> User:
        """Change a user's role, for admins. Raises `Conflict` if no admin would be left, or if a
        banned user would be promoted."""
        admin = await self._check_admin(token)
        async with self._user_for_update(user, lock_admins=True) as locked:
            locked.standing.check_may_become(role)
            if locked.standing.user.role != role:
                await locked.record(Act(f"make-{role}", admin.id, user, user))
            return await locked.set_role(role)

    async def ban_of(self, token: str, user: int) -> Ban | None:
        """The ban of a user that is in force, for moderators."""
        await self._check_moderates(token)
        if await self._store.find(user) is None:
            raise NotFound("There is no such user.")
        return await self._store.ban_of(user, self._clock())

    async def ban(self, token: str, user: int, ban: Ban) -> None:
        """Ban a user of a lower role, and end their sessions. Raises `Invalid` for an end in the
        past."""
        actor = await self._check_moderates(token)
        async with self._user_for_update(user) as locked:
            locked.standing.check_bannable(actor)
            if ban.until is not None and ban.until <= self._clock():
                raise Invalid(FieldError("/until", "The end of a ban must be in the future."))
            await locked.record(Act("ban-user", actor.id, user, user, ban.reason))
            await locked.ban(ban, actor.id)

    async def lift_ban(self, token: str, user: int) -> None:
        """Lift the ban of a user of a lower role."""
        actor = await self._check_moderates(token)
        async with self._user_for_update(user) as locked:
            locked.standing.check_bannable(actor)
            if locked.standing.ban is not None:
                await locked.record(Act("lift-ban", actor.id, user, user))
            await locked.lift_ban()

    async def issue_reset(self, token: str, user: int) -> ResetLink:
        """Create a link with which a user can set a new password, for admins. It replaces the
        user's older links, and works only while its creator is an admin."""
        admin = await self._check_admin(token)
        link = ResetLink(tokens.new(), self._clock() + RESET_LIFETIME)
        async with self._user_for_update(user) as locked:
            locked.standing.check_is_here()
            await locked.record(Act("issue-reset-link", admin.id, user, user))
            await locked.store_reset_link(link, tokens.hashed(link.token), admin.id)
        return link

    async def moderators(self) -> Sequence[Moderator]:
        """The moderators and admins who are not banned, by id."""
        return await self._store.moderators(self._clock())

    async def departed(self, users: Sequence[int]) -> Sequence[int]:
        """See `kernel.contracts.UserModeration`."""
        return await self._store.departed(users)

    async def ban_user(self, user: int, moderator: int, reason: str, key: str) -> None:
        """Ban the user for a case, once for each `key`. Raises `NotFound`, and `Conflict` if the
        account was deleted or the moderator's role is not higher than the user's."""
        found = await self._store.find(moderator)
        if found is None:
            raise Conflict("There is no such moderator.")
        async with self._user_for_update(user) as locked:
            if not await locked.record(Act("ban-user", moderator, user, user, reason, key)):
                return
            try:
                locked.standing.check_bannable(Actor(found.id, found.role))
            except Forbidden as error:
                raise Conflict(error.detail) from error
            await locked.ban(Ban(reason, None), moderator)

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
