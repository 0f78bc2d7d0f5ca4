"""The rules for users' own accounts: registering, signing in and out, changing, deleting,
finding."""

import logging
from collections.abc import Callable, Container, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from kernel.contracts import Actor, UserView
from kernel.data.paging import Page
from kernel.errors import (
    Banned,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Policy,
    Unauthenticated,
)
from kernel.process.clock import Clock
from kernel.process.tracing import identify
from services.users import tokens
from services.users.model import (
    Account,
    Caller,
    NewUser,
    ProfileChanges,
    Session,
    Standing,
    StartedSession,
    User,
    canonical_password,
    check_password,
    is_reserved,
    session_end,
)
from services.users.resemblance import resembles

log = logging.getLogger("board.users")

_LONGEST_USER_AGENT = 400
_MOST_VIEWS = 100
_FOUND_VIEWS = 5
_SESSION_ENDED = "This session has ended. Sign in again."
_WRONG_SIGN_IN = "No user has this name and password."
_WRONG_PASSWORD = "This is not your password."  # noqa: S105 - a sentence
_NO_LINK = "This link has been used, is too old, or was never one."


class Limits(Protocol):
    """How much one address and one user may do; `services.users.settings.UserSettings` has them."""

    @property
    def for_registrations(self) -> Policy: ...

    @property
    def for_edits(self) -> Policy: ...


class LockedUser(Protocol):
    """A user whose row is locked, with the changes that users may make to their own account; in
    PostgreSQL, `services.users.user_for_update.UserForUpdate`."""

    standing: Standing

    async def edit(self, changes: ProfileChanges, policy: Policy) -> User: ...

    async def start_session(self, token_hash: bytes, user_agent: str | None) -> None: ...

    async def set_password(self, password_hash: str, keep_session: int | None = None) -> None: ...

    async def has_reset_link(self, token_hash: bytes) -> bool: ...

    async def clear_failed_sign_ins(self) -> None: ...

    async def leave(self) -> None: ...


class Store(Protocol):
    """What `UserService` needs of its store; `services.users.store.UserStore` has it in
    PostgreSQL."""

    async def staff(self) -> Sequence[User]: ...

    async def check_may_register(self, address: str, now: datetime, policy: Policy) -> None: ...

    async def add(
        self, new: NewUser, password_hash: str, address: str, now: datetime, policy: Policy
    ) -> User | None: ...

    def user_for_update(
        self, user: int, now: datetime, *, lock_admins: bool = False
    ) -> AbstractAsyncContextManager[LockedUser | None]: ...

    async def find(self, user: int) -> User | None: ...

    async def find_many(
        self, users: Sequence[int], limit: int, after: str | None
    ) -> Page[User]: ...

    async def named(self, username: str) -> User | None: ...

    async def search(self, beginning: str, limit: int) -> Sequence[User]: ...

    async def list(self, limit: int, after: str | None) -> Page[User]: ...

    async def password_of(self, username: str) -> tuple[User, str | None] | None: ...

    async def owner_of_reset(self, token_hash: bytes, now: datetime) -> User | None: ...

    async def use_session(self, token_hash: bytes, now: datetime) -> Caller | None: ...

    async def sessions(
        self, caller: Caller, now: datetime, limit: int, after: str | None
    ) -> Page[Session]: ...

    async def end_session(self, user: int, session: int) -> bool: ...


class Attempts(Protocol):
    """Limits how many wrong passwords may be tried; `services.users.attempts.SignInAttempts` counts
    them in PostgreSQL."""

    async def begin(self, username: str, address: str) -> int:
        """Count a new attempt and return its id. Raises `TooManyRequests`."""

    async def end(self, attempt: int, *, right: bool) -> None:
        """Record whether the attempt's password was right."""


class Passwords(Protocol):
    """Hashes passwords; `services.users.passwords.Passwords` does so with Argon2."""

    async def hash(self, password: str) -> str:
        """The hash to store."""

    async def verify(self, password: str, kept: str | None) -> bool:
        """Whether the password has this hash. Without a hash, returns False after the same time."""

    async def weakness(self, password: str, username: str) -> str | None:
        """Why the password is easy to guess, as a sentence; None if it is not."""


class UserService:
    """Implements `kernel.contracts.Users` in process.

    `address` is the client's address from `kernel.http.addresses.client.ClientAddresses`.
    """

    def __init__(
        self,
        store: Store,
        attempts: Attempts,
        passwords: Passwords,
        commonest: Container[str],
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._passwords = passwords
        self._commonest = commonest
        self._clock = clock
        self._limits = limits

    async def register(self, new: NewUser, address: str) -> User:
        """Register a user. Raises `Invalid` for a password that is easy to guess and for a name
        that looks like a moderator's or an admin's, `Conflict` if the username is taken, and
        `TooManyRequests` if too many have registered from the address."""
        now, policy = self._clock(), self._limits.for_registrations
        await self._store.check_may_register(address, now, policy)
        password = canonical_password(new.password)
        await self._check_new_password(password, new.username, "/password")
        user = None
        if not is_reserved(new.username):
            staff = await self._store.staff()
            _check_resemblance(new.username, "/username", staff)
            _check_resemblance(new.name, "/name", staff)
            password_hash = await self._passwords.hash(password)
            user = await self._store.add(new, password_hash, address, now, policy)
        if user is None:
            raise Conflict("Somebody has this name already. Choose another one.")
        return user

    async def find(self, user: int) -> User:
        """The user. Raises `NotFound`."""
        found = await self._store.find(user)
        if found is None:
            raise NotFound("There is no such user.")
        return found

    async def find_many(self, users: Sequence[int], limit: int, after: str | None) -> Page[User]:
        """Those of these users that exist, by id. Raises `MalformedRequest` for a cursor of another
        list."""
        return await self._store.find_many(users, limit, after)

    async def named(self, username: str) -> User | None:
        """The user with this name, in any case, or None."""
        return await self._store.named(username)

    async def search(self, beginning: str, limit: int) -> Sequence[User]:
        """The first users, by username, whose usernames or names begin like this, in any case."""
        return await self._store.search(beginning.strip().removeprefix("@"), limit)

    async def list(self, limit: int, after: str | None) -> Page[User]:
        """Users by id. Raises `MalformedRequest` for a cursor of another list."""
        return await self._store.list(limit, after)

    async def user(self, user: int) -> UserView:
        """The user, for the page. Raises `NotFound`."""
        return _view(await self.find(user))

    async def users(self, users: Sequence[int]) -> Sequence[UserView]:
        """Those of at most 100 users that exist, by id, for the page."""
        page = await self._store.find_many(users, _MOST_VIEWS, None)
        return [_view(user) for user in page.items]

    async def search_users(self, words: str) -> Sequence[UserView]:
        """The first five users whose usernames or names begin like this, for the page."""
        return [_view(user) for user in await self.search(words, _FOUND_VIEWS)]

    async def sign_in(
        self, username: str, password: str, address: str, user_agent: str | None
    ) -> StartedSession:
        """Start a session, also for a banned user. Raises the same `Unauthenticated`, after the
        same work, for an unknown name and for a wrong password; `TooManyRequests`."""
        attempt = await self._attempts.begin(username, address)
        known = await self._store.password_of(username)
        user, password_hash = known or (None, None)
        if not await self._is_right(attempt, password, password_hash) or user is None:
            raise Unauthenticated(_WRONG_SIGN_IN)
        token = tokens.new()
        agent = None if user_agent is None else user_agent[:_LONGEST_USER_AGENT]
        now = self._clock()
        async with self._store.user_for_update(user.id, now) as locked:
            # The password may have been changed since it was read.
            if locked is None or locked.standing.password_hash != password_hash:
                raise Unauthenticated(_WRONG_SIGN_IN)
            await locked.start_session(tokens.hashed(token), agent)
        account = Account(locked.standing.user, locked.standing.ban)
        return StartedSession(token, session_end(now, now), account)

    async def sign_out(self, token: str) -> None:
        """End the session. Raises `Unauthenticated` if there is none."""
        caller = await self._caller(token)
        await self._store.end_session(caller.actor.id, caller.session)

    async def authenticate(self, token: str) -> Actor:
        """The user of this session token, for other contexts. Raises `Unauthenticated` and
        `Banned`."""
        return (await self._taking_part(token)).actor

    async def me(self, token: str) -> Account:
        """The user of this session token, banned or not. Raises `Unauthenticated`."""
        caller = await self._caller(token)
        return Account(await self.find(caller.actor.id), caller.ban)

    async def sessions(self, token: str, limit: int, after: str | None) -> Page[Session]:
        """The user's sessions, newest first, also for a banned user. Raises `Unauthenticated`."""
        return await self._store.sessions(await self._caller(token), self._clock(), limit, after)

    async def end_session(self, token: str, session: int) -> None:
        """End one of the user's sessions. Raises `Unauthenticated`, `Banned` and `NotFound`."""
        actor = await self.authenticate(token)
        if not await self._store.end_session(actor.id, session):
            raise NotFound("You have no such session.")

    async def edit(
        self, token: str, changes: ProfileChanges, check_unchanged: Callable[[User], None]
    ) -> User:
        """Change the user's own profile. Raises `Unauthenticated`, `Banned`, `Invalid` for a name
        that looks like another moderator's or admin's, and what `check_unchanged` raises for the
        current state of the user."""
        actor = await self.authenticate(token)
        if "name" in changes:
            staff = [user for user in await self._store.staff() if user.id != actor.id]
            _check_resemblance(changes["name"], "/name", staff)
        async with self._store.user_for_update(actor.id, self._clock()) as locked:
            if locked is None or locked.standing.password_hash is None:
                raise Unauthenticated(_SESSION_ENDED)
            check_unchanged(locked.standing.user)
            return await locked.edit(changes, self._limits.for_edits)

    async def change_password(self, token: str, current: str, new: str, address: str) -> None:
        """Change the user's password and end every other session. Raises `Unauthenticated`,
        `Banned`, `Forbidden` for a wrong current password, `TooManyRequests` as for sign-ins, and
        `Invalid` for a new password that is easy to guess."""
        caller = await self._taking_part(token)
        username, kept = await self._check_own_password(caller, current, address)
        password = canonical_password(new)
        await self._check_new_password(password, username, "/new")
        password_hash = await self._passwords.hash(password)
        async with self._store.user_for_update(caller.actor.id, self._clock()) as locked:
            if locked is None or locked.standing.password_hash != kept:
                raise Forbidden(_WRONG_PASSWORD)
            await locked.set_password(password_hash, keep_session=caller.session)

    async def leave(self, token: str, password: str, address: str) -> None:
        """Delete the user's account and personal data, also for a banned user. Raises
        `Unauthenticated`, `Forbidden` for a wrong password, `TooManyRequests` as for sign-ins, and
        `Conflict` for the last admin."""
        caller = await self._caller(token)
        _, kept = await self._check_own_password(caller, password, address)
        now = self._clock()
        async with self._store.user_for_update(caller.actor.id, now, lock_admins=True) as locked:
            if locked is None or locked.standing.password_hash != kept:
                raise Forbidden(_WRONG_PASSWORD)
            locked.standing.check_not_the_last_admin()
            await locked.leave()
        # After a restore, the log says who must be deleted again (board.delete_accounts).
        log.info("user %d has deleted their account", caller.actor.id)

    async def reset_password(self, link_token: str, password: str) -> None:
        """Set a password with an admin's link, which works once, and end every session. Raises
        `NotFound` for an invalid link, and `Invalid` for a password that is easy to guess; the link
        then still works."""
        token_hash = tokens.hashed(link_token)
        owner = await self._store.owner_of_reset(token_hash, self._clock())
        if owner is None:
            raise NotFound(_NO_LINK)
        password = canonical_password(password)
        await self._check_new_password(password, owner.username, "/password")
        password_hash = await self._passwords.hash(password)
        async with self._store.user_for_update(owner.id, self._clock()) as locked:
            if locked is None or not await locked.has_reset_link(token_hash):
                raise NotFound(_NO_LINK)
            await locked.set_password(password_hash)
            await locked.clear_failed_sign_ins()

    async def _check_new_password(self, password: str, username: str, pointer: str) -> None:
        check_password(password, username, self._commonest, pointer)
        weakness = await self._passwords.weakness(password, username)
        if weakness is not None:
            raise Invalid(FieldError(pointer, weakness))

    async def _caller(self, token: str) -> Caller:
        caller = await self._store.use_session(tokens.hashed(token), self._clock())
        if caller is None:
            raise Unauthenticated(_SESSION_ENDED)
        identify(caller.actor.id)
        return caller

    async def _taking_part(self, token: str) -> Caller:
        caller = await self._caller(token)
        if caller.ban is not None:
            raise Banned(caller.ban.sentence)
        return caller

    async def _check_own_password(
        self, caller: Caller, password: str, address: str
    ) -> tuple[str, str]:
        """The caller's name and the hash of their password. Raises `Forbidden` and
        `TooManyRequests`."""
        username = (await self.find(caller.actor.id)).username
        attempt = await self._attempts.begin(username, address)
        known = await self._store.password_of(username)
        kept = None if known is None else known[1]
        if not await self._is_right(attempt, password, kept) or kept is None:
            raise Forbidden(_WRONG_PASSWORD)
        return username, kept

    async def _is_right(self, attempt: int, password: str, kept: str | None) -> bool:
        right = await self._passwords.verify(canonical_password(password), kept)
        await self._attempts.end(attempt, right=right)
        return right


def _check_resemblance(name: str, pointer: str, staff: Sequence[User]) -> None:
    if any(resembles(name, each) for user in staff for each in (user.name, user.username)):
        raise Invalid(FieldError(pointer, "This looks like the name of a moderator or an admin."))


def _view(user: User) -> UserView:
    return UserView(user.id, user.username, user.name, user.bio, user.role, user.created_at)
