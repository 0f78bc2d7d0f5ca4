"""Writing, showing and listing posts."""

import re
from typing import Any

import asyncpg
import httpx
import pytest

from tests.databases import Databases
from tests.deployments import Board
from tests.pages import every_page, next_page
from tests.people import Person, joining
from tests.problems import pointers, slug

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NOBODYS = 2**63 - 1


async def test_new_post_returns_201_with_the_post_and_its_location(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    body = {"thread": thread, "text": "Is the water *warm*?"}
    response = await person.http.post("/api/posts", json=body)
    post = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/api/posts/{post['id']}"
    assert (await person.http.get(response.headers["location"])).json() == post
    assert post.pop("id") > 0
    assert TIMESTAMP.fullmatch(post.pop("createdAt"))
    assert post == {
        "thread": thread,
        "user": person.id,
        "text": "Is the water *warm*?",
        "html": "<p>Is the water <em>warm</em>?</p>\n",
        "replyTo": None,
        "editedAt": None,
        "editedBy": None,
    }


async def test_posting_needs_a_session(visitor: httpx.AsyncClient, person: Person) -> None:
    thread = (await person.start_thread())["id"]
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        body = {"thread": thread, "text": "Anybody?"}
        response = await visitor.post("/api/posts", json=body, headers=headers)
        assert response.status_code == 401
    assert (await visitor.get(f"/api/posts/in-thread/{thread}")).json() == []


async def test_posting_in_an_unknown_thread_returns_404(person: Person) -> None:
    response = await person.http.post("/api/posts", json={"thread": NOBODYS, "text": "Hello?"})
    assert (response.status_code, slug(response)) == (404, "not-found")
    assert (await person.http.get(f"/api/posts/in-thread/{NOBODYS}")).json() == []


@pytest.mark.in_loop
async def test_posting_without_a_session_does_not_reveal_which_threads_exist(
    visitor: httpx.AsyncClient,
) -> None:
    answer = await visitor.post("/api/posts", json={"thread": NOBODYS, "text": "Hello?"})
    assert answer.status_code == 401


@pytest.mark.in_loop
async def test_locked_thread_rejects_posts(databases: Databases, person: Person) -> None:
    thread = (await person.start_thread())["id"]
    connection = await asyncpg.connect(databases.urls["threads"])
    await connection.execute("UPDATE threads SET locked = true WHERE id = $1", thread)
    await connection.close()
    response = await person.http.post("/api/posts", json={"thread": thread, "text": "But..."})
    assert (response.status_code, slug(response)) == (409, "conflict")
    assert (await person.http.get(f"/api/threads/{thread}")).json()["locked"] is True


@pytest.mark.in_loop
@pytest.mark.parametrize("text", [".", "x" * 32_000, "é" * 32_000, " indented\n\nlines \n", "\t7"])
async def test_text_is_stored_unchanged(person: Person, text: str) -> None:
    thread = (await person.start_thread())["id"]
    assert (await person.write(thread, text))["text"] == text


@pytest.mark.in_loop
@pytest.mark.parametrize(
    "text",
    ["", "x" * 32_001, " \n\t ", "\u200b\u200d", "nul\0nul", None, 7, ["text"]],
    ids=lambda text: repr(text)[:12],
)
async def test_text_has_1_to_32000_characters_and_visible_ones(person: Person, text: Any) -> None:
    thread = (await person.start_thread())["id"]
    answer = await person.http.post("/api/posts", json={"thread": thread, "text": text})
    assert pointers(answer) == ["/text"]


@pytest.mark.in_loop
@pytest.mark.parametrize(
    "thread",
    [0, -1, 2**63, 10**30, 7.0, "007", "+7", "٣", "7.0", 7.5, "seven", True, None, [7], 1e300],
)
async def test_thread_of_a_post_must_be_an_id(person: Person, thread: Any) -> None:
    answer = await person.http.post("/api/posts", json={"thread": thread, "text": "Where?"})
    assert pointers(answer) == ["/thread"]


async def test_the_posts_of_a_thread_come_oldest_first(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    written = [(await person.write(thread, f"Post {number}"))["id"] for number in range(5)]
    pages = [p async for p in every_page(person.http, f"/api/posts/in-thread/{thread}?limit=2")]
    assert [[post["id"] for post in page] for page in pages] == [
        written[:2], written[2:4], written[4:],
    ]  # fmt: skip


async def test_the_posts_of_a_user_come_newest_first(board: Board, newcomer: Person) -> None:
    written = []
    for number in range(2):
        thread = (await newcomer.start_thread())["id"]
        written += [(await newcomer.write(thread, f"Post {number}"))["id"] for _ in range(2)]
        async with joining(board) as other:
            await other.write(thread)
    path = f"/api/posts/by-user/{newcomer.id}?limit=3"
    pages = [page async for page in every_page(newcomer.http, path)]
    assert [[post["id"] for post in page] for page in pages] == [written[:0:-1], written[:1]]


@pytest.mark.parametrize("listed", ["in-thread", "by-user"])
async def test_list_for_an_unknown_thread_or_user_is_empty(
    visitor: httpx.AsyncClient, listed: str
) -> None:
    response = await visitor.get(f"/api/posts/{listed}/{NOBODYS}")
    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.in_loop
async def test_list_of_all_posts_is_newest_first_without_repeats_while_others_post(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    thread = (await person.start_thread())["id"]
    before = [(await person.write(thread, f"Post {number}"))["id"] for number in range(6)]
    seen: list[int] = []
    following: str | None = "/api/posts?limit=2"
    while following is not None and before[0] not in seen:
        response = await visitor.get(following)
        seen += [post["id"] for post in response.json()]
        following = next_page(response)
        await person.write(thread, "Somebody else is faster")
    assert seen == sorted(set(seen), reverse=True)
    assert set(before) <= set(seen)


@pytest.mark.in_loop
async def test_reading_a_thread_while_others_post_misses_nothing(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    written = [(await person.write(thread, f"Post {number}"))["id"] for number in range(4)]
    seen: list[int] = []
    async for page in every_page(person.http, f"/api/posts/in-thread/{thread}?limit=3"):
        seen += [post["id"] for post in page]
        if len(written) < 10:
            written.append((await person.write(thread, "One more"))["id"])
    # Posts that are written after the last page was read are not in it.
    assert seen in (written, written[:-1])
    assert len(seen) > 4


async def test_unknown_post_returns_404(visitor: httpx.AsyncClient) -> None:
    response = await visitor.get(f"/api/posts/{NOBODYS}")
    assert (response.status_code, slug(response)) == (404, "not-found")
