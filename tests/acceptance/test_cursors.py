"""A cursor is valid only for the list that returned it."""

import base64

import httpx
import pytest

from tests.pages import next_page
from tests.people import Person
from tests.problems import slug

pytestmark = pytest.mark.one_deployment

LISTS = (
    "/api/users",
    "/api/threads",
    "/api/posts",
    "/api/posts/in-thread/1",
    "/api/posts/by-user/1",
)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


UNREADABLE = [
    "", "x", "nonsense", "%", "=", "é", "\0", "null", encoded("null"), encoded("[]"), encoded("7"),
    encoded('["users"]'), encoded('["users","1"]'), encoded('["users",1.5]'),
    encoded('["users",true]'), encoded('["users",1e400]'), encoded(f'["users",{10**30}]'),
    encoded('["posts-newest",1,2]'), encoded('["threads-active",1,2]'), encoded("[" * 90),
    encoded('["threads-active",1,9223372036854775807,1]'), encoded('["threads-active",[],{},1]'),
    encoded('["threads-active",0,-9223372036854775807,1]'), encoded('{"users":1}'),
    base64.urlsafe_b64encode(b"\xff\xfe\xfd").decode(),
]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
async def test_forged_cursor_returns_400(visitor: httpx.AsyncClient, path: str) -> None:
    for cursor in UNREADABLE:
        response = await visitor.get(path, params={"after": cursor})
        assert (response.status_code, slug(response)) == (400, "malformed-request"), cursor


@pytest.mark.parametrize("path", LISTS)
async def test_a_long_cursor_is_malformed_like_any_other(
    visitor: httpx.AsyncClient, path: str
) -> None:
    for length in (201, 1_001, 4_000):
        response = await visitor.get(path, params={"after": "x" * length})
        assert (response.status_code, slug(response)) == (400, "malformed-request")


async def test_a_cursor_of_one_list_is_refused_by_every_other(
    person: Person,
    newcomer: Person,  # noqa: ARG001 - a second user, so that the list of users has two pages
) -> None:
    thread, other = [(await person.start_thread())["id"] for _ in range(2)]
    for _ in range(2):
        await person.write(thread)
    paths = [
        "/api/users", "/api/threads", "/api/posts", f"/api/posts/in-thread/{thread}",
        f"/api/posts/in-thread/{other}", f"/api/posts/by-user/{person.id}",
        f"/api/posts/by-user/{person.id + 1}",
    ]  # fmt: skip
    cursors: dict[str, str] = {}
    for path in paths:
        following = next_page(await person.http.get(path, params={"limit": 1}))
        if following is not None:
            cursors[path] = httpx.URL(following).params["after"]
    assert len(cursors) >= 5
    for issued_by, cursor in cursors.items():
        for path in paths:
            response = await person.http.get(path, params={"after": cursor})
            assert response.status_code == (200 if path == issued_by else 400), (issued_by, path)


async def test_link_is_relative_and_has_the_same_limit(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    for _ in range(3):
        await person.write(thread)
    for path in (f"/api/posts/in-thread/{thread}", f"/api/posts/in-thread/{thread}/"):
        following = next_page(await person.http.get(f"{path}?limit=2"))
        assert following is not None
        url = httpx.URL(following)
        assert (url.path, url.params["limit"]) == (f"/api/posts/in-thread/{thread}", "2")
        rest = await person.http.get(following)
        assert (len(rest.json()), next_page(rest)) == (1, None)
