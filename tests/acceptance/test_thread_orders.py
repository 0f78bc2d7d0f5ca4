"""The list of threads: its orders, and its filter by author."""

from typing import Any

import httpx
import pytest

from tests.eventually import eventually
from tests.pages import every_page
from tests.people import Person
from tests.problems import pointers

pytestmark = pytest.mark.in_loop


async def _ids(http: httpx.AsyncClient, path: str) -> list[int]:
    return [thread["id"] async for page in every_page(http, path) for thread in page]


async def test_the_newest_threads_come_first_in_the_order_new(newcomer: Person) -> None:
    threads = [(await newcomer.start_thread(f"Number {n}"))["id"] for n in range(5)]
    mine = f"/api/threads?order=new&createdBy={newcomer.id}&limit=2"
    assert await _ids(newcomer.http, mine) == threads[::-1]


async def test_default_order_is_active(newcomer: Person, other: Person) -> None:
    first, second, third = [(await newcomer.start_thread(f"No. {n}"))["id"] for n in range(3)]
    await other.write(second)
    await other.write(first)
    mine = f"/api/threads?createdBy={newcomer.id}&limit=1"

    async def ordered() -> bool:
        return await _ids(newcomer.http, mine) == [first, second, third]

    await eventually(ordered)
    assert await _ids(newcomer.http, f"{mine}&order=active") == [first, second, third]
    assert await _ids(newcomer.http, f"{mine}&order=new") == [third, second, first]


async def test_pinned_threads_come_first_only_in_the_order_active(
    newcomer: Person, moderator: Person
) -> None:
    pinned, newer = [(await newcomer.start_thread(f"No. {n}"))["id"] for n in range(2)]
    mine = f"/api/threads?createdBy={newcomer.id}&limit=1"
    assert await _ids(newcomer.http, mine) == [newer, pinned]
    assert (await moderator.http.put(f"/api/threads/{pinned}/pin")).status_code == 204
    assert await _ids(newcomer.http, mine) == [pinned, newer]
    assert await _ids(newcomer.http, f"{mine}&order=new") == [newer, pinned]
    assert (await moderator.http.delete(f"/api/threads/{pinned}/pin")).status_code == 204
    assert await _ids(newcomer.http, mine) == [newer, pinned]


async def test_list_is_ordered_across_pages(
    visitor: httpx.AsyncClient, person: Person, moderator: Person
) -> None:
    pinned = await person.start_thread("Read this first")
    await moderator.http.put(f"/api/threads/{pinned['id']}/pin")
    async for page in every_page(visitor, "/api/threads?limit=100"):
        places = [_place(thread) for thread in page]
        assert places == sorted(places, reverse=True)
    first = (await visitor.get("/api/threads")).json()[0]
    assert first["pinned"]
    assert (await moderator.http.delete(f"/api/threads/{pinned['id']}/pin")).status_code == 204


def _place(thread: dict[str, Any]) -> tuple[bool, str, int]:
    return thread["pinned"], thread["lastPostAt"] or thread["createdAt"], thread["id"]


async def test_user_without_threads_has_an_empty_list(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    response = await visitor.get(f"/api/threads?createdBy={newcomer.id}")
    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("order=old", "?order"), ("order=", "?order"), ("createdBy=0", "?createdBy"),
     ("createdBy=x", "?createdBy"), ("createdBy=07", "?createdBy")],
)  # fmt: skip
async def test_invalid_order_or_author_is_rejected(
    visitor: httpx.AsyncClient, query: str, pointer: str
) -> None:
    assert pointers(await visitor.get(f"/api/threads?{query}")) == [pointer]


async def test_a_cursor_of_one_list_is_refused_by_another(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    for number in range(2):
        await newcomer.start_thread(f"Cursor {number}")
    mine = f"/api/threads?createdBy={newcomer.id}&limit=1"
    link = (await visitor.get(mine)).headers["link"]
    cursor = link.partition("after=")[2].partition(">")[0]
    for path in (
        f"/api/threads?after={cursor}",
        f"/api/threads?order=new&createdBy={newcomer.id}&after={cursor}",
        f"/api/threads/search?q=bread&after={cursor}",
        f"/api/posts?after={cursor}",
    ):
        assert (await visitor.get(path)).status_code == 400, path
