"""The board remembers how far each user has read."""

from typing import Any

import httpx
import pytest

from tests.deployments import Board
from tests.eventually import eventually
from tests.people import Person, joining

pytestmark = pytest.mark.in_loop

POSITIONS = "/api/posts/read-positions"


async def unread(reader: Person, *threads: int) -> list[tuple[int, int | None]]:
    """How many posts of each thread the reader has not read, and the first of them."""
    response = await reader.http.get("/api/posts/unread", params={"thread": threads})
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "private, no-store"
    shown: list[dict[str, Any]] = response.json()
    assert [each["thread"] for each in shown] == list(threads)
    return [(each["count"], each["first"]) for each in shown]


async def record(reader: Person, *positions: tuple[int, int]) -> None:
    """Record that the reader has read each thread up to a post."""
    body = {"positions": [{"thread": thread, "post": post} for thread, post in positions]}
    assert (await reader.http.put(POSITIONS, json=body)).status_code == 204


async def write(author: Person, thread: int, number: int) -> list[int]:
    """Write some posts: their ids."""
    return [(await author.write(thread, f"Loaf {place}"))["id"] for place in range(number)]


async def test_unread_posts_are_those_of_others_above_the_highest_position(
    person: Person, newcomer: Person
) -> None:
    thread = (await person.start_thread())["id"]
    first, second, third = await write(person, thread, 3)
    assert await unread(newcomer, thread) == [(0, None)]
    await record(newcomer, (thread, first))
    assert await unread(newcomer, thread) == [(2, second)]
    await newcomer.write(thread, "My own")
    assert await unread(newcomer, thread) == [(2, second)]
    for lower_or_again in (third, first, third):
        await record(newcomer, (thread, lower_or_again))
    assert await unread(newcomer, thread) == [(0, None)]
    await person.write(thread, "Another")
    removed = (await person.write(thread, "No, not so"))["id"]
    assert (await unread(newcomer, thread))[0][0] == 2
    await person.http.delete(f"/api/posts/{removed}")
    assert (await unread(newcomer, thread))[0][0] == 1
    positions = (await newcomer.http.get(POSITIONS)).json()["positions"]
    assert positions == [{"thread": thread, "post": third}]


async def test_threads_never_opened_are_unread_from_when_the_reader_began(
    person: Person, newcomer: Person
) -> None:
    before, after = [(await person.start_thread())["id"] for _ in range(2)]
    await write(person, before, 1)
    assert (await newcomer.http.get(POSITIONS)).json() == {"readUpTo": None, "positions": []}
    await record(newcomer)
    assert (await newcomer.http.get(POSITIONS)).json()["readUpTo"] > 0
    posts = await write(person, after, 2)
    assert await unread(newcomer, after, before, 2**62) == [(2, posts[0]), (0, None), (0, None)]


async def test_nobody_reads_ahead(person: Person, newcomer: Person) -> None:
    thread, other = [(await person.start_thread())["id"] for _ in range(2)]
    await record(newcomer)
    (post,) = await write(person, thread, 1)
    await write(person, other, 1)
    await record(newcomer, (thread, 2**63 - 1), (2**62, 1), (thread, post))
    assert await unread(newcomer, thread) == [(0, None)]
    later = await write(person, thread, 1)
    assert await unread(newcomer, thread) == [(1, later[0])]
    assert (await newcomer.http.get(POSITIONS)).json()["positions"] == [
        {"thread": thread, "post": post}
    ]


async def test_marking_everything_read_replaces_all_positions(
    person: Person, newcomer: Person
) -> None:
    thread, other = [(await person.start_thread())["id"] for _ in range(2)]
    await record(newcomer)
    first, last = await write(person, thread, 2)
    await write(person, other, 1)
    await record(newcomer, (thread, first))
    assert [count for count, _ in await unread(newcomer, thread, other)] == [1, 1]
    assert (await newcomer.http.put(f"{POSITIONS}/all")).status_code == 204
    assert [count for count, _ in await unread(newcomer, thread, other)] == [0, 0]
    stored = (await newcomer.http.get(POSITIONS)).json()
    assert stored["positions"] == []
    assert stored["readUpTo"] >= last
    await record(newcomer, (thread, first))  # sent late by another device
    assert await unread(newcomer, thread) == [(0, None)]


async def test_position_is_deleted_with_its_thread(person: Person, newcomer: Person) -> None:
    thread = (await person.start_thread())["id"]
    await record(newcomer)
    (post,) = await write(person, thread, 1)
    await record(newcomer, (thread, post))
    assert (await person.http.delete(f"/api/threads/{thread}")).status_code == 204

    async def is_deleted() -> bool:
        return bool((await newcomer.http.get(POSITIONS)).json()["positions"] == [])

    await eventually(is_deleted, what="the position is deleted")
    await record(newcomer, (thread, post))
    assert await is_deleted()
    assert await unread(newcomer, thread) == [(0, None)]


async def test_positions_of_one_reader_are_not_those_of_another(
    board: Board, person: Person, newcomer: Person, visitor: httpx.AsyncClient
) -> None:
    thread = (await person.start_thread())["id"]
    async with joining(board) as other:
        await record(other)
        await record(newcomer)
        (post,) = await write(person, thread, 1)
        await record(newcomer, (thread, post))
        assert await unread(other, thread) == [(1, post)]
        assert await unread(newcomer, thread) == [(0, None)]
    for method, path in (("GET", f"/api/posts/unread?thread={thread}"), ("GET", POSITIONS),
                         ("PUT", POSITIONS), ("PUT", f"{POSITIONS}/all")):  # fmt: skip
        assert (await visitor.request(method, path, json={"positions": []})).status_code == 401


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "?thread"), ("?thread=0", "?thread"), ("?" + "thread=1&" * 101, "?thread")],
    ids=["none", "no id", "too many"],
)
async def test_invalid_list_of_threads_is_rejected(person: Person, query: str, field: str) -> None:
    response = await person.http.get(f"/api/posts/unread{query}")
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [field]


async def test_too_many_positions_are_rejected(person: Person) -> None:
    body = {"positions": [{"thread": 1, "post": 1}] * 101}
    response = await person.http.put(POSITIONS, json=body)
    assert [error["pointer"] for error in response.json()["errors"]] == ["/positions"]


async def test_page_around_a_post_begins_five_posts_before_it(
    person: Person, visitor: httpx.AsyncClient
) -> None:
    thread = (await person.start_thread())["id"]
    posts = await write(person, thread, 9)
    path = f"/api/posts/in-thread/{thread}"

    async def around(post: int) -> tuple[list[int], set[str]]:
        response = await visitor.get(path, params={"limit": 7, "around": post})
        assert response.status_code == 200
        return [each["id"] for each in response.json()], {str(name) for name in response.links}

    assert await around(posts[7]) == (posts[2:], {"first"})
    assert await around(posts[6]) == (posts[1:8], {"first", "next"})
    assert await around(posts[5]) == (posts[:7], {"next"})
    await person.http.delete(f"/api/posts/{posts[6]}")
    assert await around(posts[6]) == ([*posts[1:6], *posts[7:]], {"first"})
    response = await visitor.get(path, params={"limit": 4, "around": posts[8]})
    assert response.links["first"]["url"] == f"{path}?limit=4"
    following = await visitor.get(response.links["next"]["url"])
    assert [each["id"] for each in following.json()] == posts[7:]
    both = await visitor.get(path, params={"around": 1, "after": "x"})
    assert [error["pointer"] for error in both.json()["errors"]] == ["?around"]
