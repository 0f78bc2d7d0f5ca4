"""How many people may register from one address in an hour, over all instances."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from tests.databases import Databases
from tests.deployments import Limits, users_service
from tests.own_databases import new_users_database
from tests.people import PASSWORD, new_username

LIMITS = Limits(registration_limit=3)


@pytest_asyncio.fixture
async def instances(databases: Databases) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two processes of the users service on one database."""
    database = await new_users_database(databases)
    async with (
        users_service(database, limits=LIMITS) as first,
        users_service(database, limits=LIMITS) as second,
        httpx.AsyncClient(base_url=first, trust_env=False, timeout=15) as one,
        httpx.AsyncClient(base_url=second, trust_env=False, timeout=15) as other,
    ):
        yield [one, other]


async def register(
    http: httpx.AsyncClient, address: str, password: str = PASSWORD, username: str | None = None
) -> int:
    """The status of the answer."""
    who = {"username": username or new_username(), "password": password}
    headers = {"X-Forwarded-For": address}
    return (await http.post("/api/users", json=who, headers=headers)).status_code


async def test_registrations_from_an_address_are_limited(
    instances: list[httpx.AsyncClient],
) -> None:
    answers = await asyncio.gather(
        *(register(instances[number % 2], "203.0.113.7") for number in range(12))
    )
    assert Counter(answers) == {201: 3, 429: 9}
    assert await register(instances[0], "203.0.113.8") == 201


async def test_ipv6_addresses_of_one_customer_count_as_one(
    instances: list[httpx.AsyncClient],
) -> None:
    answers = [await register(instances[0], f"2001:db8:0:7::{number}") for number in range(1, 5)]
    assert answers == [201, 201, 201, 429]
    assert await register(instances[1], "2001:db8:0:8::1") == 201


async def test_refused_registrations_do_not_count(instances: list[httpx.AsyncClient]) -> None:
    address = "203.0.113.9"
    assert await register(instances[0], address, username="taken") == 201
    assert await register(instances[0], address, username="taken") == 409
    assert await register(instances[0], address, username="admin") == 409
    assert await register(instances[0], address, password="aaaaaaaa") == 422
    assert [await register(instances[0], address) for _ in range(3)] == [201, 201, 429]
