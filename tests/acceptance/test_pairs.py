"""Each deployment accepts what the other has written or issued, so requests can move between the
monolith and the services. Each test runs twice, with each deployment as the first."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
import pytest_asyncio

from tests.deployments import Board
from tests.eventually import eventually
from tests.pages import next_page
from tests.people import PASSWORD, Person, joining, sign_in, visiting
from tests.problems import slug
from tests.watching import StreamEvent, watching

BOUND = 2.0
"""Seconds within which an instance shows what another has written (docs/decisions/)."""


@dataclass(frozen=True)
class Pair:
    """The two deployments on the same data. `person` is signed in at the first; `elsewhere` sends
    the same token to the second."""

    first: Board
    second: Board
    person: Person
    elsewhere: httpx.AsyncClient


@pytest_asyncio.fixture(params=["monolith first", "services first"])
async def pair(
    request: pytest.FixtureRequest, monolith: Board, services: Board
) -> AsyncIterator[Pair]:
    """A new user at one deployment, who is signed in at the other with the same token."""
    first, second = (monolith, services)
    if request.param == "services first":
        first, second = second, first
    async with joining(first) as person, visiting(second) as elsewhere:
        elsewhere.headers["Authorization"] = f"Bearer {person.token}"
        yield Pair(first, second, person, elsewhere)


async def test_password_and_its_change_are_valid_at_the_other(pair: Pair) -> None:
    username = pair.person.username
    header = await sign_in(pair.elsewhere, username)
    # The session that began at the second, at the first.
    me = await pair.person.http.get("/api/users/me", headers=header)
    assert me.json()["username"] == username
    new = {"current": PASSWORD, "new": "eleven slow barges"}
    changed = await pair.elsewhere.put("/api/users/me/password", json=new)
    assert changed.status_code == 204, changed.text

    async def refused() -> bool:
        async with visiting(pair.first) as http:
            old = await http.post(
                "/api/sessions", json={"username": username, "password": PASSWORD}
            )
            return old.status_code == 401

    await eventually(refused, within=BOUND)


@pytest.mark.parametrize("what", ["posts", "threads"])
async def test_idempotency_key_of_one_is_known_to_the_other(pair: Pair, what: str) -> None:
    thread = (await pair.person.start_thread())["id"]
    body = {
        "posts": {"thread": thread, "text": "Once"},
        "threads": {"title": "Once"},
    }[what]
    headers = {"Idempotency-Key": f'"{secrets.token_hex(8)}"'}
    path = f"/api/{what}"
    first = await pair.person.http.post(path, json=body, headers=headers)
    again = await pair.elsewhere.post(path, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    other = {**body, "text" if what == "posts" else "title": "Another"}
    refused = await pair.elsewhere.post(path, json=other, headers=headers)
    same = await pair.person.http.post(path, json=other, headers=headers)
    assert (refused.status_code, slug(refused)) == (same.status_code, slug(same))
    assert refused.status_code == 422


async def test_cursor_of_every_list_leads_on_at_the_other(pair: Pair) -> None:
    thread = (await pair.person.start_thread())["id"]
    await pair.person.start_thread()
    for number in range(3):
        await pair.person.write(thread, f"Post {number}")
    async with joining(pair.first):
        pass
    lists = [
        *("/api/users", "/api/threads", "/api/posts"),
        "/api/threads?order=new",
        f"/api/threads?createdBy={pair.person.id}",
        f"/api/posts/in-thread/{thread}",
        f"/api/posts/by-user/{pair.person.id}",
    ]
    for path in lists:
        first = await pair.person.http.get(
            path, params={"limit": "1"} | dict(httpx.URL(path).params)
        )
        following = next_page(first)
        assert following is not None, path
        here = await pair.person.http.get(following)

        async def same(following: str = following, here: httpx.Response = here) -> bool:
            there = await pair.elsewhere.get(following)
            assert there.status_code == 200, there.text
            # Counts arrive a moment later; who is on the page does not.
            return [one["id"] for one in there.json()] == [one["id"] for one in here.json()]

        await eventually(same, within=BOUND, what=f"the same page of {path}")


async def test_etag_of_one_is_that_of_the_other(pair: Pair) -> None:
    thread = (await pair.person.start_thread())["id"]
    post = await pair.person.write(thread, "As it is")
    paths = (
        f"/api/posts/{post['id']}",
        f"/api/posts/in-thread/{thread}",
        f"/api/users/{pair.person.id}",
        f"/api/threads/{thread}",
    )
    for path in paths:

        async def unchanged(path: str = path) -> bool:
            here = await pair.person.http.get(path)
            headers = {"If-None-Match": here.headers["ETag"]}
            return (await pair.elsewhere.get(path, headers=headers)).status_code == 304

        await eventually(unchanged, within=BOUND, what=f"the same tag of {path}")


async def test_edit_with_a_tag_of_the_other_succeeds_once(pair: Pair) -> None:
    thread = (await pair.person.start_thread())["id"]
    path = f"/api/posts/{(await pair.person.write(thread, 'First'))['id']}"
    tag = {"If-Match": (await pair.person.http.get(path)).headers["ETag"]}
    edited = await pair.elsewhere.patch(path, json={"text": "Second"}, headers=tag)
    assert edited.status_code == 200, edited.text
    late = await pair.person.http.patch(path, json={"text": "Third"}, headers=tag)
    assert (late.status_code, slug(late)) == (412, "stale")
    now = {"If-Match": edited.headers["ETag"]}
    assert (
        await pair.person.http.patch(path, json={"text": "Third"}, headers=now)
    ).status_code == 200


async def test_cached_response_of_one_follows_a_write_of_the_other(pair: Pair) -> None:
    thread = (await pair.person.start_thread())["id"]
    post = await pair.person.write(thread, "Old")
    paths = (f"/api/posts/{post['id']}", f"/api/posts/in-thread/{thread}")
    for _ in range(3):
        for path in paths:
            assert "Old" in (await pair.elsewhere.get(path)).text
    whatever = {"If-Match": "*"}
    await pair.person.http.patch(paths[0], json={"text": "New"}, headers=whatever)

    async def follows() -> bool:
        return all(["New" in (await pair.elsewhere.get(path)).text for path in paths])

    await eventually(follows, within=BOUND)
    assert (await pair.person.http.delete(paths[0])).status_code == 204

    async def gone() -> bool:
        return (await pair.elsewhere.get(paths[0])).status_code == 404

    await eventually(gone, within=BOUND)


async def test_stream_of_one_is_resumed_at_the_other_without_a_gap(pair: Pair) -> None:
    thread = (await pair.person.start_thread())["id"]
    async with watching(pair.first, thread) as stream:
        first = await pair.person.write(thread, "While it is open")
        event = await stream.next()
        assert event == StreamEvent("post", 1, first)
    missed = await pair.person.write(thread, "While none is open")
    async with watching(pair.second, thread, after=event.id) as stream:
        assert await stream.next() == StreamEvent("post", 2, missed)
        # Also what the first deployment stores while the stream is at the second.
        later = await pair.person.write(thread, "Afterwards")
        assert await stream.next() == StreamEvent("post", 3, later)


async def test_activity_that_a_killed_process_left_is_delivered_by_a_running_one(
    pair: Pair,
) -> None:
    """Both deployments run. The row of a thread says that a process stored a post and ended before
    its delivery. No process was notified: the first one that looks delivers it, and a second
    delivery changes nothing."""
    thread = (await pair.person.start_thread())["id"]
    await pair.person.write(thread, "Delivered")
    path = f"/api/threads/{thread}"

    async def shows(count: int) -> bool:
        boards = (pair.person.http, pair.elsewhere)
        return [(await http.get(path)).json()["postCount"] for http in boards] == [count] * 2

    await eventually(lambda: shows(1))
    connection = await asyncpg.connect(pair.first.databases["posts"])
    try:
        await connection.execute(
            "UPDATE thread_activity SET version = version + 1, post_count = post_count + 1 "
            "WHERE thread = $1",
            thread,
        )
        await eventually(lambda: shows(2), what="the activity is delivered")
        undelivered = await connection.fetchval(
            "SELECT count(*) FROM thread_activity WHERE thread = $1 AND delivered < version", thread
        )
    finally:
        await connection.close()
    assert undelivered == 0


async def test_late_delivery_of_one_does_not_undo_a_newer_one_of_the_other(pair: Pair) -> None:
    """Each deployment delivers what it has stored, in any order; the counts only move forward."""
    thread = (await pair.person.start_thread())["id"]
    posts = 6
    for number in range(posts):
        http = pair.person.http if number % 2 else pair.elsewhere
        body = {"thread": thread, "text": f"Post {number}"}
        assert (await http.post("/api/posts", json=body)).status_code == 201
    seen: list[int] = []

    async def counted() -> bool:
        seen.append((await pair.elsewhere.get(f"/api/threads/{thread}")).json()["postCount"])
        return seen[-1] == posts

    await eventually(counted)
    assert seen == sorted(seen)
