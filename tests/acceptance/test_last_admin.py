"""A board always keeps an admin. Each test has its own users database, so it knows all admins."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest_asyncio

from tests.conventions import Conventions
from tests.databases import Databases
from tests.deployments import ORIGIN, Board, users_service
from tests.own_databases import new_users_database
from tests.people import PASSWORD, Person, joining, joining_as


@pytest_asyncio.fixture
async def alone(databases: Databases) -> AsyncIterator[Board]:
    """A users service without users."""
    database = await new_users_database(databases)
    async with users_service(database) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            document = (await http.get("/api/users/openapi.json")).json()
        yield Board(url, ORIGIN, Conventions([document]), {"users": database})


async def step_down(admin: Person, by: Person | None = None) -> httpx.Response:
    """Demote a user to member, by another admin or by themselves."""
    who = by or admin
    return await who.http.put(f"/api/users/{admin.id}/role", json={"role": "member"})


async def leave(person: Person) -> httpx.Response:
    return await person.http.request("DELETE", "/api/users/me", json={"password": PASSWORD})


async def admins(board: Board) -> list[int]:
    async with httpx.AsyncClient(base_url=board.url, trust_env=False) as http:
        users = (await http.get("/api/users", params={"limit": 100})).json()
    return [user["id"] for user in users if user["role"] == "admin"]


async def test_last_admin_can_neither_be_demoted_nor_leave(alone: Board) -> None:
    async with joining_as(alone, "admin") as admin:
        assert (await step_down(admin)).status_code == 409
        assert (await leave(admin)).status_code == 409
        same = await admin.http.put(f"/api/users/{admin.id}/role", json={"role": "admin"})
        assert (same.status_code, same.json()["role"]) == (200, "admin")
        assert await admins(alone) == [admin.id]
        async with joining_as(alone, "admin") as other:
            assert (await step_down(admin)).status_code == 200
            assert (await leave(other)).status_code == 409
            assert (await leave(admin)).status_code == 204
            assert await admins(alone) == [other.id]


async def test_concurrent_demotions_leave_one_admin(alone: Board) -> None:
    async with joining_as(alone, "admin") as one, joining_as(alone, "admin") as other:
        for _ in range(5):
            answers = await asyncio.gather(step_down(one, by=other), step_down(other, by=one))
            left = await admins(alone)
            assert len(left) == 1
            statuses = sorted(answer.status_code for answer in answers)
            assert statuses in ([200, 409], [200, 403])
            admin, member = (one, other) if left == [one.id] else (other, one)
            path = f"/api/users/{member.id}/role"
            assert (await admin.http.put(path, json={"role": "admin"})).status_code == 200


async def test_concurrent_departures_leave_one_admin(alone: Board) -> None:
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(joining_as(alone, "admin")) for _ in range(5)]
        answers = await asyncio.gather(
            *(leave(person) for person in people[:3]),
            *(step_down(person) for person in people[3:]),
        )
        assert sorted(answer.status_code // 100 for answer in answers) == [2] * 4 + [4]
        assert len(await admins(alone)) == 1


async def test_members_can_delete_their_accounts(alone: Board) -> None:
    async with joining(alone) as person:
        assert (await leave(person)).status_code == 204
