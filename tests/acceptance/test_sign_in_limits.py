"""Limits of failed sign-ins, over all instances: each test has two, which share a database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest_asyncio

from tests.databases import Databases
from tests.deployments import users_service
from tests.own_databases import new_users_database
from tests.people import PASSWORD

HERE = "203.0.113.7"
ELSEWHERE = "198.51.100.20"
WRONG = "wrong"


@dataclass(frozen=True)
class Instances:
    """Two instances of the users service, which get requests in turn, as behind a load balancer."""

    database: str
    clients: list[httpx.AsyncClient]

    async def sign_in(
        self, username: str, password: str = WRONG, address: str = HERE, instance: int = 0
    ) -> httpx.Response:
        """Try to sign in from an address, at one of the instances."""
        return await self.clients[instance % 2].post(
            "/api/sessions",
            json={"username": username, "password": password},
            headers={"X-Forwarded-For": f"{HERE}, {address}"},
        )

    async def register(self, username: str) -> None:
        """Register a user with the usual password."""
        who = {"username": username, "password": PASSWORD}
        assert (await self.clients[0].post("/api/users", json=who)).status_code == 201

    async def pass_time(self, minutes: int) -> None:
        """Make all attempts older."""
        await self.execute(
            "UPDATE sign_in_attempts SET at = at - make_interval(mins => $1)", minutes
        )

    async def pass_seconds(self, seconds: int) -> None:
        """Make all attempts this many seconds older."""
        await self.execute(
            "UPDATE sign_in_attempts SET at = at - make_interval(secs => $1)", seconds
        )

    async def remembered(self) -> int:
        """The number of attempts in the database."""
        count: int = await self.execute("SELECT count(*) FROM sign_in_attempts")
        return count

    async def execute(self, statement: str, *arguments: int) -> Any:
        """The first value of a statement on the database."""
        connection = await asyncpg.connect(self.database)
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()


@pytest_asyncio.fixture
async def users(databases: Databases) -> AsyncIterator[Instances]:
    database = await new_users_database(databases)
    async with (
        users_service(database, sign_in_address_failures=30) as first,
        users_service(database, sign_in_address_failures=30) as second,
        httpx.AsyncClient(base_url=first, trust_env=False, timeout=15) as one,
        httpx.AsyncClient(base_url=second, trust_env=False, timeout=15) as other,
    ):
        yield Instances(database, [one, other])


async def test_five_wrong_passwords_lock_a_name_for_an_address(users: Instances) -> None:
    await users.register("ines")
    for attempt in range(5):
        assert (await users.sign_in("ines", instance=attempt)).status_code == 401
    for instance in (0, 1):
        closed = await users.sign_in("INES", PASSWORD, instance=instance)
        assert closed.status_code == 429
        wait = int(closed.headers["retry-after"])
        assert 1790 <= wait <= 1800
        assert closed.headers["ratelimit-policy"] == '"sign-in-name";q=5;w=1800'
        assert closed.headers["ratelimit"] == f'"sign-in-name";r=0;t={wait}'
        assert closed.json()["type"] == "/problems/too-many-requests"
    assert (await users.sign_in("ines", PASSWORD, address=ELSEWHERE)).status_code == 201
    assert (await users.sign_in("marit")).status_code == 401


async def test_unknown_name_is_locked_the_same_way(users: Instances) -> None:
    statuses = [(await users.sign_in("nobody")).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2


async def test_name_is_unlocked_when_the_oldest_failure_is_half_an_hour_old(
    users: Instances,
) -> None:
    await users.register("ines")
    await users.sign_in("ines")
    await users.pass_time(29)
    for _ in range(4):
        await users.sign_in("ines")
    closed = await users.sign_in("ines", PASSWORD)
    assert closed.status_code == 429
    assert int(closed.headers["retry-after"]) <= 60
    await users.pass_time(1)
    assert (await users.sign_in("ines")).status_code == 401
    assert (await users.sign_in("ines", PASSWORD)).status_code == 429


async def test_after_thirty_wrong_passwords_an_address_waits_longer_each_time(
    users: Instances,
) -> None:
    await users.register("ines")
    statuses = [(await users.sign_in(f"name-{n}", instance=n)).status_code for n in range(31)]
    assert statuses == [401] * 30 + [429]
    for wait in (2, 4, 8, 16):
        await users.pass_seconds(wait)  # more than the wait before
        assert (await users.sign_in("ines")).status_code == 401
        closed = await users.sign_in("nobody")
        assert closed.status_code == 429
        assert closed.headers["ratelimit-policy"] == '"sign-in-address";q=30;w=3600'
        assert wait - 1 <= int(closed.headers["retry-after"]) <= wait
    assert (await users.sign_in("ines", PASSWORD, address=ELSEWHERE)).status_code == 201
    await users.pass_seconds(16)
    assert (await users.sign_in("ines", PASSWORD)).status_code == 201


async def test_wait_of_an_address_is_five_minutes_at_most(users: Instances) -> None:
    await users.execute(
        """
        INSERT INTO sign_in_attempts (name, address, failed, at)
        SELECT '', '203.0.113.7', true, now() FROM generate_series(1, $1)
        """,
        500,
    )
    closed = await users.sign_in("nobody")
    assert closed.status_code == 429
    assert 290 <= int(closed.headers["retry-after"]) <= 300


async def test_name_that_has_signed_in_from_an_address_does_not_wait_for_others(
    users: Instances,
) -> None:
    await users.register("ines")
    assert (await users.sign_in("ines", PASSWORD)).status_code == 201
    for number in range(31):
        await users.sign_in(f"name-{number}", instance=number)
    assert (await users.sign_in("marit")).status_code == 429
    assert (await users.sign_in("INES", PASSWORD)).status_code == 201
    assert (await users.sign_in("ines")).status_code == 401
    await users.execute(
        "UPDATE known_addresses SET last_at = last_at - make_interval(days => $1)", 90
    )
    await users.sign_in("marit", address=ELSEWHERE)
    assert (await users.sign_in("ines", PASSWORD)).status_code == 429


async def test_known_address_is_locked_out_after_five_wrong_passwords(users: Instances) -> None:
    await users.register("ines")
    assert (await users.sign_in("ines", PASSWORD)).status_code == 201
    statuses = [(await users.sign_in("ines", instance=n)).status_code for n in range(6)]
    assert statuses == [401] * 5 + [429]


async def test_above_the_limit_one_attempt_is_checked_at_a_time(users: Instances) -> None:
    for number in range(30):
        await users.sign_in(f"name-{number}")
    await users.pass_seconds(2)
    answers = await asyncio.gather(*(users.sign_in(f"name-{n}", instance=n) for n in range(30, 40)))
    assert Counter(answer.status_code for answer in answers) == {401: 1, 429: 9}


async def test_at_most_five_concurrent_wrong_passwords_are_checked(
    users: Instances,
) -> None:
    answers = await asyncio.gather(*(users.sign_in("ines", instance=n) for n in range(20)))
    assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 15}


async def test_concurrent_right_passwords_all_succeed(users: Instances) -> None:
    await users.register("ines")
    answers = await asyncio.gather(
        *(users.sign_in("ines", PASSWORD, instance=n) for n in range(20))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 20}
    assert await users.remembered() == 0


async def test_unfinished_attempt_counts_as_failed(users: Instances) -> None:
    await users.register("ines")
    for _ in range(5):
        await users.sign_in("ines")
    await users.execute("UPDATE sign_in_attempts SET failed = false")
    await users.pass_time(1)
    assert (await users.sign_in("ines", PASSWORD)).status_code == 429


async def test_names_and_addresses_are_forgotten_after_an_hour(users: Instances) -> None:
    for number in range(7):
        await users.sign_in(f"name-{number}")
    assert await users.remembered() == 7
    await users.pass_time(60)
    await users.sign_in("ines", address=ELSEWHERE)
    assert await users.remembered() == 1


async def test_client_address_is_the_one_that_the_load_balancer_saw(users: Instances) -> None:
    # All of these claim to come from HERE; only the last element counts.
    statuses = [(await users.sign_in("ines", address=f"192.0.2.{n}")).status_code for n in range(7)]
    assert statuses == [401] * 7
