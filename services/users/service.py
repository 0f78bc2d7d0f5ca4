"""What people can do about themselves: register, sign in and out, and be found."""

import hashlib
import secrets
from collections.abc import Container, Sequence

from kernel.clock import Clock
from kernel.contracts import Actor
from kernel.errors import Conflict, NotFound, Unauthenticated
from kernel.pages import Page
from services.users.model import (
    NewUser,
    Session,
    User,
    canonical_password,
    check_password,
    is_reserved,
    session_end,
)
from services.users.passwords import Passwords
from services.users.store import UserStore

_TOKEN_BYTES = 32
_LONGEST_USER_AGENT = 400


class UserService:
    """Implements `kernel.contracts.Users` in process."""

    def __init__(
        self, store: UserStore, passwords: Passwords, commonest: Container[str], clock: Clock
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._commonest = commonest
        self._clock = clock

    async def register(self, new: NewUser) -> User:
        """Take somebody in. Raises `Invalid` for a password that would be guessed at once, and
        `Conflict` when the name is taken."""
        password = canonical_password(new.password)
        check_password(password, new.username, self._commonest)
        user = None
        if not is_reserved(new.username):
            password_hash = await self._passwords.hash(password)
            user = await self._store.add(new, password_hash, self._clock())
        if user is None:
            raise Conflict("Somebody has this name already. Choose another one.")
        return user

    async def find(self, user: int) -> User:
        """The user. Raises `NotFound`."""
        found = await self._store.find(user)
        if found is None:
            raise NotFound("There is no such user.")
        return found

    async def find_many(self, users: Sequence[int]) -> Sequence[User]:
        """Those of these users that there are, by id."""
        return await self._store.find_many(users)

    async def named(self, username: str) -> User | None:
        """The user of this name, whatever its case, or None."""
        return await self._store.named(username)

    async def list(self, limit: int, after: str | None) -> Page[User]:
        """Users by id. Raises `MalformedRequest` for a cursor that is none of ours."""
        return await self._store.list(limit, after)

    async def sign_in(self, username: str, password: str, user_agent: str | None) -> Session:
        """Start a session. Raises the same `Unauthenticated`, after the same work, for a name that
        nobody has and for a wrong password."""
        known = await self._store.password_of(username)
        password_hash = None if known is None else known[1]
        right = await self._passwords.verify(canonical_password(password), password_hash)
        if known is None or not right:
            raise Unauthenticated("No user has this name and password.")
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._clock()
        agent = None if user_agent is None else user_agent[:_LONGEST_USER_AGENT]
        await self._store.start_session(known[0].id, _hashed(token), agent, now)
        return Session(token, session_end(now, now), known[0])

    async def sign_out(self, token: str) -> None:
        """End the session. Raises `Unauthenticated` when there is none."""
        await self.authenticate(token)
        await self._store.end_session(_hashed(token))

    async def authenticate(self, token: str) -> Actor:
        """See `kernel.contracts.Users`."""
        actor = await self._store.use_session(_hashed(token), self._clock())
        if actor is None:
            raise Unauthenticated("This session has ended. Sign in again.")
        return actor

    async def me(self, token: str) -> User:
        """Who holds this session token. Raises `Unauthenticated`."""
        actor = await self.authenticate(token)
        return await self.find(actor.id)


def _hashed(token: str) -> bytes:
    # A token has 256 random bits: one round of a fast hash cannot be searched backwards.
    return hashlib.sha256(token.encode(errors="replace")).digest()
