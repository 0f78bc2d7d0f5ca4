"""Query parameters: an operation accepts only those that it documents."""

import httpx
import pytest

from tests.people import Person
from tests.problems import pointers

pytestmark = pytest.mark.in_loop


@pytest.mark.parametrize(
    ("path", "unknown"),
    [
        ("/api/threads?createdby=1", "?createdby"), ("/api/threads?limit=1&x=2", "?x"),
        ("/api/threads?", None), ("/api/users?Username=ines", "?Username"),
        ("/api/posts?order=new", "?order"), ("/api/users/1?x", "?x"),
        ("/api/posts/in-thread/1?thread=2", "?thread"), ("/api/threads?limit=1&", None),
        (f"/api/threads?{'x' * 5_000}=1", f"?{'x' * 60}…"),
    ],
)  # fmt: skip
async def test_unknown_parameter_is_refused(
    visitor: httpx.AsyncClient, path: str, unknown: str | None
) -> None:
    response = await visitor.get(path)
    if unknown is None:
        assert response.status_code == 200
    else:
        assert pointers(response) == [unknown]


async def test_write_with_an_unknown_parameter_has_no_effect(
    person: Person,
) -> None:
    before = (await person.http.get(f"/api/threads?createdBy={person.id}&limit=100")).json()
    response = await person.http.post("/api/threads?draft=1", json={"title": "Unwritten"})
    assert pointers(response) == ["?draft"]
    after = (await person.http.get(f"/api/threads?createdBy={person.id}&limit=100")).json()
    assert after == before


async def test_users_requested_by_id_are_paged_if_a_limit_is_given(
    person: Person, other: Person, moderator: Person
) -> None:
    ids = sorted([person.id, other.id, moderator.id])
    query = "&".join(f"id={number}" for number in reversed(ids))
    everyone = (await person.http.get(f"/api/users?{query}")).json()
    assert [user["id"] for user in everyone] == ids
    first = await person.http.get(f"/api/users?{query}&limit=2")
    assert first.json() == everyone[:2]
    second = await person.http.get(first.links["next"]["url"])
    assert second.json() == everyone[2:]
    assert "next" not in second.links
