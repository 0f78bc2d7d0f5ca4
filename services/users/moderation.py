"""What moderators and admins do about others: roles, bans, and links for a new password."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kernel.contracts import Actor, Role, Users
from kernel.data.idempotency import Once
from kernel.errors import FieldError, Forbidden, Invalid, NotFound
from kernel.process.clock import Clock
from services.users import tokens
from services.users.held import HeldUser
from services.users.model import RESET_LIFETIME, Ban, ResetLink, User
from services.users.store import UserStore


class Moderation:
    """The rules of deciding about others. Every method raises `Unauthenticated`, `Banned`,
    `Forbidden` for who may not, `NotFound`, and `Conflict` for who has left."""

    def __init__(self, store: UserStore, users: Users, clock: Clock) -> None:
        self._store = store
        self._users = users
        self._clock = clock

    async def set_role(self, token: str, user: int, role: Role) -> User:
        """Give somebody a role, for admins. Raises `Conflict` when that would leave no admin, or
        raise somebody who is banned."""
        await self._check_admin(token)
        async with self._holding(user, and_admins=True) as held:
            held.standing.check_may_become(role)
            return await held.set_role(role)

    async def ban(self, token: str, user: int, ban: Ban) -> None:
        """Ban somebody of a lower role; their sessions end. Raises `Invalid` for an end that has
        passed."""
        actor = await self._check_moderates(token)
        async with self._holding(user) as held:
            held.standing.check_bannable(actor)
            if ban.until is not None and ban.until <= self._clock():
                raise Invalid(FieldError("/until", "The end of a ban must be in the future."))
            await held.ban(ban, actor.id)

    async def lift_ban(self, token: str, user: int) -> None:
        """Let somebody of a lower role take part again."""
        actor = await self._check_moderates(token)
        async with self._holding(user) as held:
            held.standing.check_bannable(actor)
            await held.lift_ban()

    async def issue_reset(self, token: str, user: int, once: Once[ResetLink]) -> ResetLink:
        """Make a link with which somebody can set a new password, for admins. Older ones of theirs
        work no longer."""
        admin = await self._check_admin(token)
        now = self._clock()
        await self._store.look_up(once, admin.id, now)
        link = ResetLink(tokens.new(), now + RESET_LIFETIME)
        async with self._holding(user) as held:
            held.standing.check_is_here()
            await held.keep_reset(link, tokens.hashed(link.token), admin.id, once)
        return link

    @asynccontextmanager
    async def _holding(self, user: int, *, and_admins: bool = False) -> AsyncIterator[HeldUser]:
        async with self._store.holding(user, self._clock(), and_admins=and_admins) as held:
            if held is None:
                raise NotFound("There is no such user.")
            yield held

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
