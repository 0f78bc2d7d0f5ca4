"""Every operation of cases in every role."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from tests.acceptance.cases import decide, in_state, reported
from tests.deployments import Board
from tests.eventually import eventually
from tests.people import Person, joining, joining_as, sign_in, visiting

pytestmark = pytest.mark.in_loop

ROLES = ("nobody", "banned", "author", "member", "reporter", "moderator", "admin")

EXPECTED: dict[str, tuple[int, ...]] = {
    "POST /api/cases": (401, 403, 403, 200, 200, 200, 200),
    "GET /api/cases": (401, 403, 200, 200, 200, 200, 200),
    "GET /api/cases/counts": (401, 403, 403, 403, 403, 200, 200),
    "GET /api/cases/export": (401, 403, 200, 200, 200, 200, 200),
    "GET /api/cases/moderation-log": (401, 403, 403, 403, 403, 200, 200),
    "GET /api/cases/notices": (401, 403, 200, 200, 200, 200, 200),
    "GET /api/cases/{id}": (401, 403, 404, 404, 200, 200, 200),
    "PUT /api/cases/{id}/decision": (401, 403, 403, 403, 403, 412, 412),
    "PUT /api/cases/{id}/decision, tier 2": (401, 403, 403, 403, 403, 403, 412),
}
"""The status for each of `ROLES`, for a request that changes nothing: the case is open, and the
decision names a version that does not exist."""


@dataclass(frozen=True)
class Cast:
    """A user with each role, a case in each tier, and the post of the second case: users who report
    it become reporters of that case."""

    clients: dict[str, httpx.AsyncClient]
    cases: dict[int, int]
    post: int


@pytest_asyncio.fixture(scope="session")
async def cast(board: Board) -> AsyncIterator[Cast]:
    """The users and the cases, which no test changes."""
    async with (
        visiting(board) as nobody,
        joining(board) as banned,
        joining(board) as author,
        joining(board) as member,
        joining(board) as reporter,
        joining_as(board, "moderator") as moderator,
        joining_as(board, "admin") as admin,
    ):
        first = await reported(author, reporter)
        second = await reported(author, reporter)
        _, tag = await in_state(moderator, second["id"], "working")
        await decide(moderator, second["id"], tag, resolved=False)
        await _until_in_tier_2(admin, second["id"])
        await _ban(moderator, banned)
        people = (banned, author, member, reporter, moderator, admin)
        clients = dict(zip(ROLES, (nobody, *(one.http for one in people)), strict=True))
        yield Cast(clients, {1: first["id"], 2: second["id"]}, second["post"])


async def _until_in_tier_2(who: Person, case: int) -> None:
    async def is_there() -> bool:
        found = (await who.http.get(f"/api/cases/{case}")).json()
        return (found["tier"], found["state"]) == (2, "working")

    await eventually(is_there, what="the case is in tier 2")


async def _ban(moderator: Person, person: Person) -> None:
    answer = await moderator.http.put(f"/api/users/{person.id}/ban", json={"reason": "Kettles"})
    assert answer.status_code == 204
    person.http.headers.update(await sign_in(person.http, person.username))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", EXPECTED)
async def test_each_role_gets_what_it_may(cast: Cast, operation: str, role: str) -> None:
    name, _, tier = operation.partition(", tier ")
    method, _, template = name.partition(" ")
    path = template.replace("{id}", str(cast.cases[int(tier or 1)]))
    bodies = {
        "POST": {"post": cast.post, "reason": "spam"},
        "PUT": {"resolved": True, "action": "none"},
    }
    answer = await cast.clients[role].request(
        method, path, json=bodies.get(method), headers={"If-Match": '"another"'}
    )
    assert answer.status_code == EXPECTED[operation][ROLES.index(role)], answer.text


async def test_every_operation_of_cases_is_in_the_table(visitor: httpx.AsyncClient) -> None:
    document = (await visitor.get("/api/cases/openapi.json")).json()
    documented = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert {operation.partition(",")[0] for operation in EXPECTED} == documented
