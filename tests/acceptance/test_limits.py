"""The limits of a user's posts and threads, over all instances; on separate boards with the default
limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
import pytest_asyncio

from tests.databases import Databases
from tests.deployments import (
    Board,
    Limits,
    behind_gateway,
    monolith_in_loop,
    posts_service,
    services_in_loop,
    threads_service,
)
from tests.people import Person, joining, moderating
from tests.problems import slug
from tests.replays import is_replay, send

LIMITS = Limits(
    thread_interval=15,
    post_interval=5,
    preview_limit=3,
    edit_limit=2,
    reading_limit=3,
    report_limit=20,
)
QUICK = Limits(thread_interval=1, post_interval=1)


@pytest_asyncio.fixture(scope="module", params=["monolith", "services"])
async def limited(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Board]:
    """A board with limits."""
    deployment = monolith_in_loop if request.param == "monolith" else services_in_loop
    async with (
        deployment(databases.urls, LIMITS) as origins,
        behind_gateway(origins, databases.urls) as board,
    ):
        yield board


@pytest_asyncio.fixture
async def writer(limited: Board) -> AsyncIterator[Person]:
    """A new user."""
    async with joining(limited) as person:
        yield person


@pytest_asyncio.fixture(scope="module")
async def thread(limited: Board) -> AsyncIterator[int]:
    """A thread to post in."""
    async with joining(limited) as person:
        yield (await person.start_thread())["id"]


def check_refusal(response: httpx.Response, name: str, window: int, quota: int = 1) -> None:
    """Fail unless the response has the limit, and the time after which to try again."""
    assert (response.status_code, slug(response)) == (429, "too-many-requests")
    wait = int(response.headers["retry-after"])
    assert window - 2 <= wait <= window
    assert response.headers["ratelimit-policy"] == f'"{name}";q={quota};w={window}'
    assert response.headers["ratelimit"] == f'"{name}";r=0;t={wait}'


async def test_posts_are_limited_to_one_per_interval(writer: Person, thread: int) -> None:
    await writer.write(thread)
    second = await writer.http.post("/api/posts", json={"thread": thread, "text": "Too soon"})
    check_refusal(second, "post", 5)


async def test_threads_are_limited_to_one_per_interval(writer: Person) -> None:
    await writer.start_thread()
    second = await writer.http.post("/api/threads", json={"title": "Too soon"})
    check_refusal(second, "thread", 15)
    mine = (await writer.http.get(f"/api/threads?createdBy={writer.id}")).json()
    assert len(mine) == 1


async def test_reports_are_limited_to_twenty_a_day(
    limited: Board, writer: Person, thread: int
) -> None:
    post = (await writer.write(thread))["id"]
    body = {"post": post, "reason": "spam"}
    async with joining(limited) as reporter:
        first = [await reporter.http.post("/api/cases", json=body) for _ in range(20)]
        assert [answer.status_code for answer in first] == [201, *[200] * 19]
        unknown = await reporter.http.post("/api/cases", json={**body, "post": 2**62})
        assert unknown.status_code == 404
        check_refusal(await reporter.http.post("/api/cases", json=body), "report", 86_400, 20)


async def test_recording_read_positions_is_limited_per_minute(writer: Person) -> None:
    path = "/api/posts/read-positions"
    body: dict[str, list[int]] = {"positions": []}
    for _ in range(2):
        assert (await writer.http.put(path, json=body)).status_code == 204
    assert (await writer.http.put(f"{path}/all")).status_code == 204
    for refused in (await writer.http.put(path, json=body), await writer.http.put(f"{path}/all")):
        check_refusal(refused, "reading", 60, 3)


async def test_rejected_requests_do_not_count(limited: Board, writer: Person, thread: int) -> None:
    async with joining(limited) as starter, moderating(limited) as moderator:
        locked = (await starter.start_thread())["id"]
        await moderator.http.put(f"/api/threads/{locked}/lock")
    bodies = [
        ({"thread": thread, "text": ""}, 422),
        ({"thread": thread, "text": "?", "replyTo": 2**63 - 1}, 422),
        ({"thread": 2**63 - 1, "text": "?"}, 404),
        ({"thread": locked, "text": "?"}, 409),
    ]
    for body, status in bodies:
        assert (await writer.http.post("/api/posts", json=body)).status_code == status
    assert (await writer.http.post("/api/threads", json={"title": ""})).status_code == 422
    await writer.write(thread)
    await writer.start_thread()


async def test_replay_does_not_count_against_the_limit(writer: Person, thread: int) -> None:
    body = {"thread": thread, "text": "Sent again"}
    first = await send(writer.http, "/api/posts", body, "again")
    for _ in range(3):
        assert is_replay(await send(writer.http, "/api/posts", body, "again"), first)
    check_refusal(await send(writer.http, "/api/posts", body, "another"), "post", 5)


async def test_each_user_has_a_separate_limit(limited: Board, thread: int) -> None:
    async with joining(limited) as one, joining(limited) as another:
        await one.write(thread)
        await another.write(thread)


async def test_edits_are_limited_per_day_and_removals_are_not(writer: Person, thread: int) -> None:
    path = f"/api/posts/{(await writer.write(thread))['id']}"

    async def edit(text: str) -> httpx.Response:
        return await writer.http.patch(path, json={"text": text}, headers={"If-Match": "*"})

    for text in ("One", "One", "Two", "Two"):  # an edit that changes nothing does not count
        assert (await edit(text)).status_code == 200
    check_refusal(await edit("Three"), "edit", 24 * 60 * 60, 2)
    assert (await edit("Two")).status_code == 200
    assert (await writer.http.get(path)).json()["text"] == "Two"
    assert (await writer.http.delete(path)).status_code == 204


async def test_changes_of_titles_are_limited_per_day(limited: Board) -> None:
    async with joining(limited) as starter:
        thread = await starter.start_thread("One")

        async def rename(title: str, version: int) -> httpx.Response:
            body = {"title": title, "version": version}
            return await starter.http.patch(f"/api/threads/{thread['id']}", json=body)

        same = await rename("One", 1)
        assert (same.status_code, same.json()) == (200, thread)
        assert (await rename("Two", 1)).json()["version"] == 2
        assert (await rename("Two", 1)).status_code == 412
        assert (await rename("Two", 2)).json()["version"] == 2
        assert (await rename("Three", 2)).status_code == 200
        check_refusal(await rename("Four", 3), "edit", 24 * 60 * 60, 2)
        assert (await rename("Three", 3)).status_code == 200


async def test_changes_of_profiles_are_limited_per_day(writer: Person) -> None:
    async def describe(bio: str) -> httpx.Response:
        return await writer.http.patch(
            "/api/users/me", json={"bio": bio}, headers={"If-Match": "*"}
        )

    for bio in ("One", "One", "Two", "Two"):
        assert (await describe(bio)).status_code == 200
    check_refusal(await describe("Three"), "edit", 24 * 60 * 60, 2)
    assert (await describe("Two")).json()["bio"] == "Two"


async def test_previews_are_limited_per_minute(writer: Person) -> None:
    async def preview() -> httpx.Response:
        return await writer.http.post("/api/posts/preview", json={"text": "x"})

    for _ in range(3):
        assert (await preview()).status_code == 200
    check_refusal(await preview(), "preview", 60, 3)


async def test_concurrent_posts_on_two_instances_store_one_per_interval(
    services: Board, databases: Databases
) -> None:
    users, threads = services.origins["users"], services.origins["threads"]
    async with AsyncExitStack() as stack:
        opened = stack.enter_async_context
        urls = databases.urls
        writers = [
            await opened(posts_service(urls["posts"], users, threads, QUICK)) for _ in range(2)
        ]
        starters = [await opened(threads_service(urls["threads"], users, QUICK)) for _ in range(2)]
        person = await opened(joining(services))
        thread = (await person.start_thread())["id"]
        posting = writers * 10, "/api/posts", {"thread": thread, "text": "At once"}
        starting = starters * 10, "/api/threads", {"title": "At once"}
        for wait_first in (0, 1):
            await asyncio.sleep(wait_first * 2.1)  # the first interval is certainly over
            for instances, path, body in (posting, starting):
                answers = await asyncio.gather(
                    *(person.http.post(url + path, json=body) for url in instances)
                )
                statuses = sorted(answer.status_code for answer in answers)
                assert statuses == [201] + [429] * 19
