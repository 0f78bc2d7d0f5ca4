"""Every operation of moderators and admins, in every role."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from tests.conventions import DOCUMENTS
from tests.deployments import Board
from tests.people import Person, joining, joining_as, sign_in, visiting
from tests.problems import slug

pytestmark = pytest.mark.in_loop

ROLES: Final = ("nobody", "banned", "member", "owner", "moderator", "admin")
"""`owner` is the author of the post or thread, or the user whom the operation is about."""

TABLE: Final[Mapping[str, tuple[int, int, int, int]]] = {
    # the statuses for member, owner, moderator and admin
    "GET /api/users/moderation-log": (403, 403, 200, 200),
    "GET /api/users/notices": (200, 200, 200, 200),
    "GET /api/users/{id}/ban": (403, 403, 200, 200),
    "PUT /api/users/{id}/ban": (403, 403, 204, 204),
    "DELETE /api/users/{id}/ban": (403, 403, 204, 204),
    "PUT /api/users/{id}/role": (403, 403, 403, 200),
    "POST /api/users/{id}/password-reset": (403, 403, 403, 201),
    "GET /api/threads/moderation-log": (403, 403, 200, 200),
    "GET /api/threads/notices": (200, 200, 200, 200),
    "PATCH /api/threads/{id}": (403, 200, 200, 200),
    "DELETE /api/threads/{id}": (403, 204, 204, 204),
    "PUT /api/threads/{id}/removal": (403, 403, 204, 204),
    "PUT /api/threads/{id}/lock": (403, 403, 204, 204),
    "DELETE /api/threads/{id}/lock": (403, 403, 204, 204),
    "PUT /api/threads/{id}/pin": (403, 403, 204, 204),
    "DELETE /api/threads/{id}/pin": (403, 403, 204, 204),
    "GET /api/cases/moderation-log": (403, 403, 200, 200),
    "GET /api/cases/notices": (200, 200, 200, 200),
    "GET /api/posts/moderation-log": (403, 403, 200, 200),
    "GET /api/posts/notices": (200, 200, 200, 200),
    "GET /api/posts/in-thread/{thread}/removed": (403, 403, 200, 200),
    "GET /api/posts/{id}/revisions": (403, 200, 200, 200),
    "PATCH /api/posts/{id}": (403, 200, 200, 200),
    "DELETE /api/posts/{id}": (403, 204, 204, 204),
    "PUT /api/posts/{id}/removal": (403, 403, 204, 204),
    "DELETE /api/posts/{id}/removal": (403, 403, 204, 204),
}

BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "PUT /api/users/{id}/ban": {"reason": "Off topic."},
    "PUT /api/users/{id}/role": {"role": "moderator"},
    "PATCH /api/threads/{id}": {"title": "Another title", "version": 1},
    "PATCH /api/posts/{id}": {"text": "Another text."},
}


@pytest_asyncio.fixture(scope="session")
async def people(board: Board) -> AsyncIterator[Mapping[str, httpx.AsyncClient]]:
    """A client with each role, except the owner's."""
    async with (
        visiting(board) as nobody,
        joining(board) as banned,
        joining(board) as member,
        joining_as(board, "moderator") as moderator,
        joining_as(board, "admin") as admin,
    ):
        path, ban = f"/api/users/{banned.id}/ban", {"reason": "Off topic."}
        assert (await admin.http.put(path, json=ban)).status_code == 204
        banned.http.headers.update(await sign_in(banned.http, banned.username))
        yield {
            "nobody": nobody,
            "banned": banned.http,
            "member": member.http,
            "moderator": moderator.http,
            "admin": admin.http,
        }


@asynccontextmanager
async def owning(board: Board, operation: str, person: Person) -> AsyncIterator[Person]:
    """A new user for operations on users, which may end their session; otherwise this person."""
    if "/users/{id}/" in operation:
        async with joining(board) as owner:
            yield owner
    else:
        yield person


async def carry_out(
    http: httpx.AsyncClient, operation: str, owner: Person, thread: int, post: int
) -> httpx.Response:
    """Send the request of this operation, about something of the owner's."""
    method, path = operation.split()
    number = {"users": owner.id, "threads": thread, "posts": post, "cases": 0}[path.split("/")[2]]
    path = path.replace("{id}", str(number)).replace("{thread}", str(thread))
    return await http.request(method, path, json=BODIES.get(operation), headers={"If-Match": "*"})


@pytest.mark.parametrize("operation", TABLE)
async def test_operation_is_for_these_roles(
    board: Board, people: Mapping[str, httpx.AsyncClient], person: Person, operation: str
) -> None:
    found = {}
    for role in ROLES:
        async with owning(board, operation, person) as owner:
            thread = (await owner.start_thread())["id"]
            post = (await owner.write(thread))["id"]
            http = owner.http if role == "owner" else people[role]
            response = await carry_out(http, operation, owner, thread, post)
            found[role] = response.status_code
            if role == "banned":
                assert slug(response) == "banned"
    assert found == dict(zip(ROLES, (401, 403, *TABLE[operation]), strict=True))


async def test_new_role_and_name_are_in_every_list_at_once(
    people: Mapping[str, httpx.AsyncClient], newcomer: Person, visitor: httpx.AsyncClient
) -> None:
    paths = [
        f"/api/users/{newcomer.id}",
        f"/api/users?id={newcomer.id}",
        f"/api/users?username={newcomer.username}",
    ]

    async def shown() -> set[tuple[str, str]]:
        found = [(await visitor.get(path)).json() for path in paths]
        users = [each[0] if isinstance(each, list) else each for each in found]
        return {(user["role"], user["name"]) for user in users}

    assert await shown() == {("member", newcomer.username)}
    for role in ("moderator", "admin", "member"):
        path, body = f"/api/users/{newcomer.id}/role", {"role": role}
        assert (await people["admin"].put(path, json=body)).status_code == 200
        assert await shown() == {(role, newcomer.username)}
    response = await newcomer.http.patch(
        "/api/users/me", json={"name": "Renamed"}, headers={"If-Match": "*"}
    )
    assert response.status_code == 200
    assert await shown() == {("member", "Renamed")}


async def test_the_table_has_every_operation_of_moderators(visitor: httpx.AsyncClient) -> None:
    tagged = {
        f"{method.upper()} {path}"
        for document in DOCUMENTS
        for path, operations in (await visitor.get(document)).json()["paths"].items()
        for method, operation in operations.items()
        if "moderation" in operation["tags"]
    }
    assert tagged <= set(TABLE)
