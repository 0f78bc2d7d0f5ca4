"""Starting, showing and listing threads.

The fixtures are in `conftest.py`. Each test runs on every deployment of the board, but those marked
`in_loop` run only where the board is in the process of the tests: for them, separate processes
would show nothing more."""

import re
from typing import Any

import httpx
import pytest

from tests.eventually import eventually
from tests.pages import every_page
from tests.people import Person
from tests.problems import pointers

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def test_new_thread_returns_201_with_the_thread_and_its_location(person: Person) -> None:
    response = await person.http.post("/api/threads", json={"title": "Night trains"})
    thread = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/api/threads/{thread['id']}"
    assert (await person.http.get(response.headers["location"])).json() == thread
    assert thread.pop("id") > 0
    assert TIMESTAMP.fullmatch(thread.pop("createdAt"))
    assert thread == {
        "title": "Night trains",
        "createdBy": person.id,
        "editedAt": None,
        "version": 1,
        "postCount": 0,
        "lastPostAt": None,
        "lastPostBy": None,
        "locked": False,
        "pinned": False,
    }


async def test_starting_a_thread_needs_a_session(visitor: httpx.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        response = await visitor.post("/api/threads", json={"title": "Night"}, headers=headers)
        assert response.status_code == 401


@pytest.mark.in_loop
@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("  Night trains\t", "Night trains"), ("abc", "abc"), ("é" * 200, "é" * 200),
        ("<b>&amp;", "<b>&amp;"), ("夜行列車", "夜行列車"), ("a\u200bbc", "a\u200bbc"),
        (f"{' ' * 300}abc", "abc"), ("👩‍🚒👩‍🚒", "👩‍🚒👩‍🚒"),
    ],
)  # fmt: skip
async def test_title_is_stored_trimmed(person: Person, title: str, kept: str) -> None:
    assert (await person.start_thread(title))["title"] == kept


@pytest.mark.in_loop
@pytest.mark.parametrize(
    "title",
    [
        "", "ab", "  ab  ", "x" * 201, " " * 50, "\u3000\u3000\u3000", "\u200b\u200b\u200b",
        "\u2060\ufeff\u200d\u00ad", "two\nlines", "bell\a!", "nul\0nul", "line\u2028break",
        None, 7, True, ["Night"], {"title": "Night"},
    ],
    ids=repr,
)  # fmt: skip
async def test_a_title_is_one_readable_line_of_3_to_200_characters(
    person: Person, title: Any
) -> None:
    assert pointers(await person.http.post("/api/threads", json={"title": title})) == ["/title"]


@pytest.mark.in_loop
async def test_read_only_fields_are_rejected(person: Person) -> None:
    fields = {"title": "Night", "pinned": True, "createdBy": 1, "postCount": 9}
    answer = await person.http.post("/api/threads", json=fields)
    assert sorted(pointers(answer)) == ["/createdBy", "/pinned", "/postCount"]


async def test_unknown_thread_returns_404(visitor: httpx.AsyncClient) -> None:
    response = await visitor.get(f"/api/threads/{2**63 - 1}")
    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")


async def test_a_post_moves_its_thread_to_the_top_of_the_list(person: Person) -> None:
    older = await person.start_thread("The older one")
    newer = await person.start_thread("The newer one")
    assert await _order(person, older, newer) == [newer["id"], older["id"]]
    post = await person.write(older["id"])

    async def moved() -> bool:
        return await _order(person, older, newer) == [older["id"], newer["id"]]

    await eventually(moved)
    shown = (await person.http.get(f"/api/threads/{older['id']}")).json()
    assert (shown["postCount"], shown["lastPostAt"]) == (1, post["createdAt"])
    assert shown["lastPostBy"] == post["user"]
    assert shown["version"] == 1  # a new post does not change the thread's version


async def _order(person: Person, *threads: dict[str, Any]) -> list[int]:
    ids = {thread["id"] for thread in threads}
    listed = (await person.http.get("/api/threads?limit=100")).json()
    return [thread["id"] for thread in listed if thread["id"] in ids]


@pytest.mark.in_loop
async def test_the_pages_of_the_list_have_every_thread_once_and_in_order(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    mine = [(await person.start_thread(f"Thread {number}"))["id"] for number in range(5)]
    pages = [page async for page in every_page(visitor, "/api/threads?limit=9")]
    assert all(len(page) == 9 for page in pages[:-1])
    listed = [thread for page in pages for thread in page]
    ids = [thread["id"] for thread in listed]
    assert len(ids) == len(set(ids))
    assert [each for each in ids if each in mine] == mine[::-1]
    activity = [(t["pinned"], t["lastPostAt"] or t["createdAt"], t["id"]) for t in listed]
    assert activity == sorted(activity, reverse=True)


@pytest.mark.in_loop
async def test_threads_requested_by_id_come_once_and_without_removed_ones(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    first, second, gone = [(await newcomer.start_thread())["id"] for _ in range(3)]
    await newcomer.http.delete(f"/api/threads/{gone}")

    async def found(**params: Any) -> list[int]:
        response = await visitor.get("/api/threads", params=params)
        return [thread["id"] for thread in response.json()]

    assert await found(id=[first, second, first, gone, 2**63 - 1]) == [second, first]
    assert await found(id=[2**63 - 1]) == []
    pages = [
        page async for page in every_page(visitor, f"/api/threads?id={first}&id={second}&limit=1")
    ]
    assert [[thread["id"] for thread in page] for page in pages] == [[second], [first]]
    too_many = {"id": list(range(1, 102))}
    assert pointers(await visitor.get("/api/threads", params=too_many)) == ["?id"]
