"""Reading one user, several users by id, and the list of all users."""

from typing import Any

import httpx
import pytest

from tests.deployments import Board
from tests.pages import every_page
from tests.people import PASSWORD, Person, joining
from tests.problems import pointers

pytestmark = pytest.mark.in_loop

FIELDS = {"id", "username", "name", "bio", "role", "createdAt"}


async def found(http: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    response = await http.get("/api/users", params=params)
    assert response.status_code == 200, response.text
    users: list[dict[str, Any]] = response.json()
    return users


async def test_anyone_can_read_a_user(visitor: httpx.AsyncClient, person: Person) -> None:
    user = (await visitor.get(f"/api/users/{person.id}")).json()
    assert set(user) == FIELDS
    assert (user["id"], user["username"], user["role"]) == (person.id, person.username, "member")


async def test_me_needs_a_session_and_is_not_cached(person: Person) -> None:
    response = await person.http.get("/api/users/me")
    assert set(response.json()) == FIELDS | {"email", "ban"}
    assert response.json()["id"] == person.id
    assert response.headers["cache-control"] == "private, no-store"


async def test_users_requested_by_id_are_sorted_unique_and_existing(
    board: Board, visitor: httpx.AsyncClient, person: Person
) -> None:
    async with joining(board) as other:
        asked = [other.id, person.id, other.id, 2**63 - 1]
    assert [user["id"] for user in await found(visitor, id=asked)] == [person.id, other.id]
    assert await found(visitor, id=2**63 - 1) == []


async def test_hundred_users_can_be_requested_at_once(visitor: httpx.AsyncClient) -> None:
    ids = [2**62 + number for number in range(101)]
    assert await found(visitor, id=ids[:100]) == []
    assert pointers(await visitor.get("/api/users", params={"id": ids})) == ["?id"]


async def test_a_user_is_found_by_their_name_in_any_case(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    for name in (person.username, person.username.upper()):
        assert [user["id"] for user in await found(visitor, username=name)] == [person.id]
    assert await found(visitor, username="nobody-has-this-name") == []
    assert await found(visitor, username=person.username[:-1] + "%") == []
    assert await found(visitor, username="") == []


async def test_a_name_and_ids_together_must_both_fit(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    both = {"username": person.username, "id": [person.id]}
    assert [user["id"] for user in await found(visitor, **both)] == [person.id]
    assert await found(visitor, username=person.username, id=[person.id + 1]) == []


async def test_the_list_of_users_goes_by_id_to_its_end(
    board: Board, visitor: httpx.AsyncClient, person: Person
) -> None:
    async with joining(board) as last:
        pages = [page async for page in every_page(visitor, "/api/users?limit=100")]
    ids = [user["id"] for page in pages for user in page]
    assert ids == sorted(set(ids))
    assert {person.id, last.id} <= set(ids)


@pytest.mark.parametrize("path", ["/api/users/{}", "/api/users/{}/"])
async def test_unknown_user_returns_404(visitor: httpx.AsyncClient, path: str) -> None:
    response = await visitor.get(path.format(2**63 - 1))
    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")


async def test_people_are_found_by_the_beginning_of_their_names(
    board: Board, visitor: httpx.AsyncClient
) -> None:
    async def search(words: str, limit: int = 20) -> list[int]:
        response = await visitor.get("/api/users/search", params={"q": words, "limit": limit})
        assert response.status_code == 200, response.text
        return [user["id"] for user in response.json()]

    async with joining(board) as first, joining(board) as second:
        own = f"Zoë Quince {first.id}"
        changed = {"headers": {"If-Match": "*"}, "json": {"name": own}}
        arguments: dict[str, Any] = changed
        assert (await first.http.patch("/api/users/me", **arguments)).status_code == 200
        assert await search(first.username) == [first.id]
        assert await search(f"@{first.username[:-2].upper()}", 100) != []
        assert await search(f"zoë quince {first.id}") == [first.id]
        assert await search("Zoë Q", 100) != []
        assert second.id not in await search("zoë quince", 100)
        assert await search(first.username[:-1] + "%") == []
        assert len(await search(first.username[:3], 1)) == 1
        await first.http.request("DELETE", "/api/users/me", json={"password": PASSWORD})
        assert await search(own) == []
    assert pointers(await visitor.get("/api/users/search")) == ["?q"]
