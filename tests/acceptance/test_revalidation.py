"""Conditional requests, HEAD, trailing slashes, and what caches may keep."""

import httpx
import pytest

from tests.eventually import eventually
from tests.people import Person

pytestmark = pytest.mark.in_loop

LISTS = ["/api/users", "/api/threads", "/api/posts"]


async def paths(person: Person) -> list[str]:
    """A list and a single resource of each context."""
    thread = (await person.start_thread())["id"]
    post = (await person.write(thread))["id"]
    return [
        "/api/users?limit=1", f"/api/users/{person.id}", f"/api/posts/in-thread/{thread}",
        f"/api/posts/{post}", f"/api/posts/by-user/{person.id}?limit=1",
    ]  # fmt: skip


async def test_current_tag_gets_304_without_a_body(person: Person) -> None:
    for path in await paths(person):
        first = await person.http.get(path)
        tag = first.headers["etag"]
        assert tag.startswith('"')
        assert first.headers["cache-control"] == "no-cache"
        for field in (tag, f"W/{tag}", f'"x", {tag}', f'W/"x",{tag},"y"', "*", f" {tag} "):
            again = await person.http.get(path, headers={"If-None-Match": field.strip()})
            assert (again.status_code, again.content) == (304, b""), field
            assert again.headers["etag"] == tag
            assert again.headers["cache-control"] == "no-cache"


async def test_outdated_tag_gets_the_current_version(person: Person) -> None:
    for path in await paths(person):
        first = await person.http.get(path)
        tag = first.headers["etag"]
        for field in ('"x"', tag[1:-1], f'"{tag}', '""', ",", f"W/W/{tag}"):
            again = await person.http.get(path, headers={"If-None-Match": field})
            assert (again.status_code, again.json()) == (200, first.json()), field


async def test_tag_changes_with_the_representation(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    path = f"/api/posts/in-thread/{thread}"
    before = (await person.http.get(path)).headers["etag"]
    await person.write(thread)
    assert (await _changed(person, path, before)).headers["etag"] != before


async def _changed(person: Person, path: str, tag: str) -> httpx.Response:
    """The response once it has another tag: where two processes serve a context, the other one may
    serve what it has stored for a moment."""

    async def changed() -> httpx.Response | None:
        response = await person.http.get(path, headers={"If-None-Match": tag})
        return response if response.status_code == 200 else None

    return await eventually(changed, what=f"another tag of {path}")


async def test_head_returns_what_get_returns_without_the_body(person: Person) -> None:
    for path in [*await paths(person), "/api/users/me", "/api/threads/0", "/api/users?limit=0"]:
        got = await person.http.get(path, headers={"X-Request-ID": "same"})
        head = await person.http.head(path, headers={"X-Request-ID": "same"})
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert _lasting(head) == _lasting(got), path


def _lasting(response: httpx.Response) -> dict[str, str]:
    passing = {"date", "ratelimit", "x-served-by", "server-timing"}
    return {name: value for name, value in response.headers.items() if name not in passing}


async def test_a_head_can_be_conditional(person: Person) -> None:
    path = f"/api/users/{person.id}"
    tag = (await person.http.get(path)).headers["etag"]
    response = await person.http.head(path, headers={"If-None-Match": tag})
    assert response.status_code == 304


@pytest.mark.parametrize(
    ("path", "query"),
    [
        *((path, "?limit=1") for path in LISTS),
        ("/api/users/me", ""),
        ("/api/posts/in-thread/1", ""),
    ],
)
async def test_a_trailing_slash_means_the_same_resource(
    person: Person, path: str, query: str
) -> None:
    plain = await person.http.get(f"{path}{query}")
    slashed = await person.http.get(f"{path}/{query}")
    assert slashed.status_code == plain.status_code == 200
    if path != "/api/threads":  # its counters may change between the two requests
        assert slashed.content == plain.content


async def test_post_accepts_a_trailing_slash(person: Person) -> None:
    response = await person.http.post("/api/threads/", json={"title": "Slashed"})
    assert response.status_code == 201
    assert response.headers["location"] == f"/api/threads/{response.json()['id']}"


async def test_responses_to_writes_are_never_cached(person: Person) -> None:
    response = await person.http.post("/api/threads", json={"title": "Uncached"})
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


async def test_a_lists_tag_changes_with_its_link(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    await person.write(thread, "One")
    path = f"/api/posts/in-thread/{thread}?limit=1"
    alone = await person.http.get(path)
    await person.write(thread, "Two")
    followed = await _changed(person, path, alone.headers["etag"])
    assert followed.content == alone.content
    assert "next" in followed.links
    assert followed.headers["etag"] != alone.headers["etag"]
