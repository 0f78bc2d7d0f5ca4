"""What counts towards the limits that PostgreSQL stores, and for how long."""

import itertools
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from kernel.data import allowance
from kernel.data.database import Database
from kernel.data.idempotency import IdempotentWrite
from kernel.data.user_limit import check_user_limit, enforce_user_limit
from kernel.errors import Invalid, Policy, TooManyRequests
from kernel.search.dictionary import Dictionary
from services.posts.model import NewPost
from services.posts.store import PostStore
from services.users.attempts import SignInAttempts
from services.users.settings import SignInLimits
from tests.databases import Databases
from tests.own_databases import new_users_database
from tests.unit.fakes import NOON

MOMENT = timedelta(milliseconds=1)
WINDOW = timedelta(seconds=60)
ONE_A_MINUTE = Policy("one-a-minute", 1, 60)
THREE_A_MINUTE = Policy("three-a-minute", 3, 60)

_users = itertools.count(2**41)  # no other test uses this user


async def enforce(database: Database, user: int, now: datetime) -> None:
    """Do something that is allowed once a minute."""
    async with database.transaction() as connection:
        await enforce_user_limit(connection, user, ONE_A_MINUTE, now, "Wait.")


async def spend(database: Database, user: int, now: datetime) -> None:
    """Do something that is allowed three times a minute."""
    async with database.transaction() as connection:
        await allowance.spend(connection, str(user), THREE_A_MINUTE, now, "Wait.")


async def test_user_limit_refuses_within_the_window_and_says_how_long(
    posts_database: Database,
) -> None:
    user = next(_users)
    await enforce(posts_database, user, NOON)
    with pytest.raises(TooManyRequests) as refused:
        await enforce(posts_database, user, NOON + timedelta(seconds=20))
    assert refused.value.retry_after == 40
    with pytest.raises(TooManyRequests):
        await check_user_limit(
            posts_database.row, user, ONE_A_MINUTE, NOON + WINDOW - MOMENT, "Wait."
        )
    await check_user_limit(posts_database.row, user, ONE_A_MINUTE, NOON + WINDOW, "Wait.")
    await enforce(posts_database, user, NOON + WINDOW)


async def test_refused_attempts_do_not_extend_the_user_limit(posts_database: Database) -> None:
    user = next(_users)
    await enforce(posts_database, user, NOON)
    for seconds in (10, 30, 59):
        with pytest.raises(TooManyRequests):
            await enforce(posts_database, user, NOON + timedelta(seconds=seconds))
    await enforce(posts_database, user, NOON + WINDOW)


async def test_user_limits_of_two_users_and_of_two_policies_are_separate(
    posts_database: Database,
) -> None:
    user, other = next(_users), next(_users)
    await enforce(posts_database, user, NOON)
    await enforce(posts_database, other, NOON)
    async with posts_database.transaction() as connection:
        await enforce_user_limit(connection, user, Policy("other", 1, 60), NOON, "Wait.")


async def test_allowance_is_spent_one_by_one_and_renewed_when_its_window_ends(
    posts_database: Database,
) -> None:
    user = next(_users)
    for seconds in (0, 10, 20):
        await spend(posts_database, user, NOON + timedelta(seconds=seconds))
    for seconds in (20, 40, 59):
        with pytest.raises(TooManyRequests) as refused:
            await spend(posts_database, user, NOON + timedelta(seconds=seconds))
        assert refused.value.retry_after == 60 - seconds
    await spend(posts_database, next(_users), NOON + timedelta(seconds=59))
    for _ in range(3):
        await spend(posts_database, user, NOON + WINDOW)
    with pytest.raises(TooManyRequests):
        await spend(posts_database, user, NOON + WINDOW)


HOUR = timedelta(hours=1)


async def test_processes_with_clocks_that_differ_share_a_limit(posts_database: Database) -> None:
    user, other = next(_users), next(_users)
    await enforce(posts_database, user, NOON)
    with pytest.raises(TooManyRequests):
        await enforce(posts_database, user, NOON - timedelta(seconds=30))
    for seconds in (0, -20, -40):
        await spend(posts_database, other, NOON + timedelta(seconds=seconds))
    with pytest.raises(TooManyRequests):
        await spend(posts_database, other, NOON - timedelta(seconds=40))


async def test_refused_post_does_not_count_for_the_limit(posts_database: Database) -> None:
    user = next(_users)
    store = PostStore(posts_database, Dictionary())
    policy = Policy("post", 1, 60)
    to_nothing = NewPost(2**41, user, True, "Hello", "<p>Hello</p>", 2**41)
    with pytest.raises(Invalid):
        await store.add(to_nothing, NOON, policy, IdempotentWrite.without_key())
    post = NewPost(2**41, user, True, "Hello", "<p>Hello</p>", None)
    await store.add(post, NOON, policy, IdempotentWrite.without_key())
    with pytest.raises(TooManyRequests):
        await store.add(post, NOON, policy, IdempotentWrite.without_key())


class Door:
    """Signing in, at a time that the test sets: allowed are 2 wrong passwords for a name in a
    minute, and 3 from an address in two minutes."""

    def __init__(self, database: Database) -> None:
        self.now = NOON
        limits = SignInLimits(
            sign_in_name_failures=2, sign_in_name_window=60,
            sign_in_address_failures=3, sign_in_address_window=120,
        )  # fmt: skip
        self._attempts = SignInAttempts(database, limits, lambda: self.now)

    async def knock(self, name: str, address: str = "192.0.2.1", *, right: bool = False) -> None:
        """Try a password. Raises `TooManyRequests`."""
        attempt = await self._attempts.begin(name, address)
        await self._attempts.end(attempt, right=right)


@pytest_asyncio.fixture
async def door(databases: Databases) -> AsyncIterator[Door]:
    """Nobody has tried to sign in yet."""
    async with Database.open(await new_users_database(databases)) as database:
        yield Door(database)


async def test_name_is_refused_until_its_failures_are_a_window_old(door: Door) -> None:
    await door.knock("ines")
    door.now += timedelta(seconds=30)
    await door.knock("INES")
    with pytest.raises(TooManyRequests) as refused:
        await door.knock("ines", right=True)
    assert refused.value.retry_after == 30
    await door.knock("ines", "192.0.2.2")
    door.now = NOON + WINDOW - MOMENT
    with pytest.raises(TooManyRequests):
        await door.knock("ines", right=True)
    door.now = NOON + WINDOW
    await door.knock("ines", right=True)


async def test_address_above_its_quota_waits_twice_as_long_each_time(door: Door) -> None:
    for name in ("ines", "otto", "marit"):
        await door.knock(name)
    for wait in (1, 2, 4, 8, 16):
        with pytest.raises(TooManyRequests) as refused:
            await door.knock("anybody")
        assert refused.value.retry_after == wait
        door.now += timedelta(seconds=wait) - MOMENT
        with pytest.raises(TooManyRequests):
            await door.knock("anybody")
        door.now += MOMENT
        await door.knock(f"name-{wait}")
    door.now += timedelta(seconds=120)
    await door.knock("anybody")


async def test_known_name_does_not_wait_for_others_at_its_address(door: Door) -> None:
    await door.knock("ines", right=True)
    for name in ("otto", "marit", "juno"):
        await door.knock(name)
    with pytest.raises(TooManyRequests):
        await door.knock("otto")
    await door.knock("INES")
    await door.knock("ines", right=True)
    with pytest.raises(TooManyRequests):
        await door.knock("nobody")


async def test_right_passwords_do_not_count(door: Door) -> None:
    for _ in range(5):
        await door.knock("ines", right=True)
    await door.knock("ines")
    await door.knock("ines")
    with pytest.raises(TooManyRequests):
        await door.knock("ines", right=True)


async def test_clock_set_back_locks_nobody_out(posts_database: Database, door: Door) -> None:
    user, other = next(_users), next(_users)
    await enforce(posts_database, user, NOON)
    await enforce(posts_database, user, NOON - HOUR)
    with pytest.raises(TooManyRequests):
        await enforce(posts_database, user, NOON - HOUR)
    for moment in (NOON, NOON - HOUR):
        for _ in range(3):
            await spend(posts_database, other, moment)
        with pytest.raises(TooManyRequests):
            await allowance.check(posts_database, str(other), THREE_A_MINUTE, moment, "Wait.")
    for moment in (NOON, NOON - HOUR):
        door.now = moment
        for _ in range(2):
            await door.knock("ana")
        with pytest.raises(TooManyRequests):
            await door.knock("ana")


async def test_clock_set_back_prevents_nobody_from_posting(posts_database: Database) -> None:
    post = NewPost(2**41, next(_users), True, "Hello", "<p>Hello</p>", None)
    store, policy = PostStore(posts_database, Dictionary()), Policy("post", 1, 60)
    for moment in (NOON, NOON - HOUR):
        await store.add(post, moment, policy, IdempotentWrite.without_key())
        with pytest.raises(TooManyRequests):
            await store.add(post, moment, policy, IdempotentWrite.without_key())
