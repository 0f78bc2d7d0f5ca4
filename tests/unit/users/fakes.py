"""Fakes of the users service's dependencies."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from kernel.contracts import Actor, Moderator, Role
from kernel.data.paging import Page
from kernel.errors import Policy, TooManyRequests
from kernel.moderation.log import Act
from services.users.model import (
    Ban,
    Caller,
    NewUser,
    ProfileChanges,
    ResetLink,
    Session,
    Standing,
    User,
)


class FakePasswords:
    """`services.users.service.Passwords`: the hash of a password is the password in brackets.
    `verified` has each password that was compared, with its hash; `weak`, the weak ones."""

    def __init__(self) -> None:
        self.verified: list[tuple[str, str | None]] = []
        self.weak: set[str] = set()

    async def hash(self, password: str) -> str:
        return f"({password})"

    async def verify(self, password: str, kept: str | None) -> bool:
        self.verified.append((password, kept))
        return kept == f"({password})"

    async def weakness(self, password: str, _username: str) -> str | None:
        return "This is weak." if password in self.weak else None


class FakeAttempts:
    """`services.users.service.Attempts`: refuses everything while `full`. `ended` has each
    attempt's result."""

    def __init__(self) -> None:
        self.full = False
        self.ended: list[bool] = []

    async def begin(self, _username: str, _address: str) -> int:
        if self.full:
            raise TooManyRequests("Too many.", Policy("sign-in-name", 5, 60), 1)
        return 1

    async def end(self, _attempt: int, *, right: bool) -> None:
        self.ended.append(right)


class FakeLockedUser:
    """A user of a `FakeUserStore`, as both services see it."""

    def __init__(self, store: "FakeUserStore", standing: Standing) -> None:
        self.standing = standing
        self._store = store
        self._id = standing.user.id

    def _set(self, standing: Standing) -> User:
        self._store.standings[self._id] = standing
        return standing.user

    def _end_sessions(self, keep: int | None = None) -> None:
        for token, caller in list(self._store.callers.items()):
            if caller.actor.id == self._id and caller.session != keep:
                del self._store.callers[token]

    async def edit(self, changes: ProfileChanges, _policy: Policy) -> User:
        return self._set(replace(self.standing, user=self.standing.user._replace(**changes)))

    async def set_role(self, role: Role) -> User:
        return self._set(replace(self.standing, user=self.standing.user._replace(role=role)))

    async def start_session(self, token_hash: bytes, _user_agent: str | None) -> None:
        actor = Actor(self._id, self.standing.user.role)
        session = len(self._store.callers) + 1
        self._store.callers[token_hash] = Caller(session, actor, self.standing.ban)

    async def set_password(self, password_hash: str, keep_session: int | None = None) -> None:
        self._set(replace(self.standing, password_hash=password_hash))
        self._end_sessions(keep_session)

    async def store_reset_link(self, _link: ResetLink, token_hash: bytes, _admin: int) -> None:
        self._store.links[token_hash] = self._id

    async def has_reset_link(self, token_hash: bytes) -> bool:
        return self._store.links.get(token_hash) == self._id

    async def clear_failed_sign_ins(self) -> None:
        self._store.cleared.append(self._id)

    async def ban(self, ban: Ban, _banned_by: int) -> None:
        self._set(replace(self.standing, ban=ban))
        self._end_sessions()

    async def lift_ban(self) -> None:
        self._set(replace(self.standing, ban=None))

    async def record(self, act: Act) -> bool:
        if act.key is not None and act.key in {other.key for other in self._store.acts}:
            return False
        self._store.acts.append(act)
        return True

    async def leave(self) -> None:
        del self._store.standings[self._id]
        self._end_sessions()


class FakeUserStore:
    """The store of `UserService` and of `Moderation`, in memory. It refuses registrations while
    `closed`."""

    def __init__(self, *standings: Standing) -> None:
        self.standings = {standing.user.id: standing for standing in standings}
        self.callers: dict[bytes, Caller] = {}
        self.links: dict[bytes, int] = {}
        self.cleared: list[int] = []
        self.acts: list[Act] = []
        self.closed = False

    def _users(self) -> list[User]:
        return [standing.user for standing in self.standings.values()]

    async def staff(self) -> Sequence[User]:
        return [user for user in self._users() if user.role != "member"]

    async def departed(self, users: Sequence[int]) -> Sequence[int]:
        return [user for user in users if self.standings[user].password_hash is None]

    async def moderators(self, now: datetime) -> Sequence[Moderator]:
        return [
            Moderator(each.user.id, each.user.username, each.user.name, each.user.role)
            for each in self.standings.values()
            if each.user.role != "member"
            and (each.ban is None or (each.ban.until is not None and each.ban.until <= now))
        ]

    async def ban_of(self, user: int, _now: datetime) -> Ban | None:
        return self.standings[user].ban

    async def check_may_register(self, _address: str, _now: datetime, policy: Policy) -> None:
        if self.closed:
            raise TooManyRequests("Too many.", policy, 1)

    async def add(
        self, new: NewUser, password_hash: str, _address: str, now: datetime, _policy: Policy
    ) -> User | None:
        if await self.named(new.username) is not None:
            return None
        number = len(self.standings) + 1
        user = User(number, new.username, new.name, new.bio, new.email, "member", now)
        self.standings[number] = Standing(user, password_hash, None, 1)
        return user

    @asynccontextmanager
    async def user_for_update(
        self,
        user: int,
        _now: datetime,
        *,
        lock_admins: bool = False,  # noqa: ARG002 - no one else
    ) -> AsyncIterator[FakeLockedUser | None]:
        standing = self.standings.get(user)
        yield None if standing is None else FakeLockedUser(self, standing)

    async def find(self, user: int) -> User | None:
        standing = self.standings.get(user)
        return None if standing is None else standing.user

    async def find_many(self, users: Sequence[int], limit: int, _after: str | None) -> Page[User]:
        return Page([user for user in self._users() if user.id in users][:limit], None)

    async def named(self, username: str) -> User | None:
        return next((u for u in self._users() if u.username.lower() == username.lower()), None)

    async def search(self, beginning: str, limit: int) -> list[User]:
        found = [user for user in self._users() if user.username.startswith(beginning)]
        return found[:limit]

    async def list(self, limit: int, _after: str | None) -> Page[User]:
        return Page(self._users()[:limit], None)

    async def password_of(self, username: str) -> tuple[User, str | None] | None:
        user = await self.named(username)
        return None if user is None else (user, self.standings[user.id].password_hash)

    async def owner_of_reset(self, token_hash: bytes, _now: datetime) -> User | None:
        return await self.find(self.links.get(token_hash, 0))

    async def use_session(self, token_hash: bytes, _now: datetime) -> Caller | None:
        return self.callers.get(token_hash)

    async def sessions(
        self, _caller: Caller, _now: datetime, _limit: int, _after: str | None
    ) -> Page[Session]:
        return Page([], None)

    async def end_session(self, user: int, session: int) -> bool:
        for token, caller in list(self.callers.items()):
            if (caller.actor.id, caller.session) == (user, session):
                del self.callers[token]
                return True
        return False
