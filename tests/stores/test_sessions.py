"""How long a session lasts, and what its use changes."""

import secrets
from datetime import datetime, timedelta

import pytest

from kernel.contracts import Actor
from kernel.data.database import Database
from kernel.errors import Policy
from services.users.model import SESSION_IDLE, SESSION_LIFETIME, Ban, Caller, NewUser
from services.users.store import UserStore
from tests.people import new_username
from tests.unit.fakes import NOON

MOMENT = timedelta(milliseconds=1)
NO_LIMIT = Policy("registration", 0, 3_600)
MINUTE = timedelta(minutes=1)


class Account:
    """A new user and their sessions."""

    def __init__(self, database: Database, user: int) -> None:
        self.store = UserStore(database)
        self.user = user

    @classmethod
    async def register(cls, database: Database) -> "Account":
        name = new_username()
        new = NewUser(name, "", name, "", None)
        user = await UserStore(database).add(new, "(hash)", "192.0.2.1", NOON, NO_LIMIT)
        assert user is not None
        return cls(database, user.id)

    async def start(self, now: datetime = NOON) -> bytes:
        """The hash of a new session's token."""
        token_hash = secrets.token_bytes(32)
        async with self.store.user_for_update(self.user, now) as locked:
            assert locked is not None
            await locked.start_session(token_hash, None)
        return token_hash

    async def is_open(self, session: bytes, now: datetime) -> bool:
        """Use the session. Returns whether it is still valid."""
        return await self.store.use_session(session, now) is not None

    async def shown(self, now: datetime) -> list[datetime]:
        """When each session in the user's list was last used, newest session first."""
        caller = Caller(0, Actor(self.user, "member"), None)
        page = await self.store.sessions(caller, now, 100, None)
        return [session.last_used_at for session in page.items]


async def test_session_ends_14_days_after_its_last_use(users_database: Database) -> None:
    account = await Account.register(users_database)
    used, unused = await account.start(), await account.start()
    assert await account.is_open(used, NOON + SESSION_IDLE - MOMENT)
    assert not await account.is_open(unused, NOON + SESSION_IDLE)
    assert await account.is_open(used, NOON + 2 * SESSION_IDLE - 2 * MOMENT)
    assert (timedelta(days=14), timedelta(days=60)) == (SESSION_IDLE, SESSION_LIFETIME)


async def test_session_in_daily_use_ends_after_60_days(users_database: Database) -> None:
    account = await Account.register(users_database)
    session = await account.start()
    for days in range(1, 60):
        assert await account.is_open(session, NOON + timedelta(days=days))
    assert await account.is_open(session, NOON + SESSION_LIFETIME - MOMENT)
    assert not await account.is_open(session, NOON + SESSION_LIFETIME)


async def test_use_is_recorded_to_the_minute_and_never_back(users_database: Database) -> None:
    account = await Account.register(users_database)
    session = await account.start()
    await account.is_open(session, NOON + MINUTE)
    assert await account.shown(NOON) == [NOON]
    later = NOON + MINUTE + MOMENT
    await account.is_open(session, later)
    assert await account.shown(later) == [later]
    await account.is_open(session, NOON)  # by the clock of another machine
    assert await account.shown(later) == [later]


@pytest.mark.parametrize("age", [SESSION_IDLE, SESSION_LIFETIME])
async def test_ended_session_is_not_shown_and_deleted_at_the_next_sign_in(
    users_database: Database, age: timedelta
) -> None:
    account = await Account.register(users_database)
    session = await account.start()
    if age == SESSION_LIFETIME:
        for days in range(1, 60):
            await account.is_open(session, NOON + timedelta(days=days))
    assert await account.shown(NOON + age) == []
    await account.start(NOON + age)
    stored = await users_database.rows("SELECT id FROM sessions WHERE user_id = $1", account.user)
    assert len(stored) == 1


async def test_ban_counts_until_its_end(users_database: Database) -> None:
    account, other = await Account.register(users_database), await Account.register(users_database)
    ban = Ban("Sold kettles.", NOON + MINUTE)
    async with account.store.user_for_update(account.user, NOON) as locked:
        assert locked is not None
        await locked.ban(ban, other.user)
    session = await account.start()
    caller = await account.store.use_session(session, NOON + MINUTE - MOMENT)
    assert caller is not None
    assert caller.ban == ban
    caller = await account.store.use_session(session, NOON + MINUTE)
    assert caller is not None
    assert caller.ban is None


async def test_ban_and_new_password_end_sessions_of_that_user_alone(
    users_database: Database,
) -> None:
    account, other = await Account.register(users_database), await Account.register(users_database)
    others = await other.start()
    session = await account.start()
    async with account.store.user_for_update(account.user, NOON) as locked:
        assert locked is not None
        await locked.ban(Ban("Sold kettles.", None), other.user)
    assert not await account.is_open(session, NOON)
    kept, ended = await account.start(), await account.start()
    caller = await account.store.use_session(kept, NOON)
    assert caller is not None
    async with account.store.user_for_update(account.user, NOON) as locked:
        assert locked is not None
        await locked.set_password("(another)", keep_session=caller.session)
    assert await account.is_open(kept, NOON)
    assert not await account.is_open(ended, NOON)
    assert await account.is_open(others, NOON)


async def test_session_of_another_user_cannot_be_ended(users_database: Database) -> None:
    account, other = await Account.register(users_database), await Account.register(users_database)
    session = await account.start()
    caller = await account.store.use_session(session, NOON)
    assert caller is not None
    assert not await account.store.end_session(other.user, caller.session)
    assert await account.is_open(session, NOON)
    assert await account.store.end_session(account.user, caller.session)
    assert not await account.is_open(session, NOON)
