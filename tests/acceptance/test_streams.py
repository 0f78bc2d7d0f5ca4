"""A thread's stream has all events in order and without gaps, whichever process caused them."""

import asyncio

import httpx
import pytest

from tests.deployments import Board
from tests.people import Person, joining
from tests.problems import pointers, slug
from tests.watching import StreamEvent, watching


def _path(thread: int) -> str:
    return f"/api/posts/in-thread/{thread}/stream"


async def test_stream_sends_events_in_order(board: Board, person: Person) -> None:
    thread = (await person.start_thread())["id"]
    earlier = await person.write(thread, "Before anybody watched")
    async with watching(board, thread) as stream:
        assert stream.last_id == 1
        post = await person.write(thread, "New\n\nlines & <html>")
        first = await stream.next()
        path = f"/api/posts/{post['id']}"
        edit = await person.http.patch(path, json={"text": "Edited"}, headers={"If-Match": "*"})
        second = await stream.next()
        await person.http.delete(path)
        await person.http.delete(f"/api/posts/{earlier['id']}")
        told = [first, second, *await stream.some(2)]
    assert told == [
        StreamEvent("post", 2, post),
        StreamEvent("edit", 3, edit.json()),
        StreamEvent("remove", 4, {"id": post["id"]}),
        StreamEvent("remove", 5, {"id": earlier["id"]}),
    ]


async def test_stream_sends_a_post_as_the_api_represents_it(
    board: Board, visitor: httpx.AsyncClient, person: Person
) -> None:
    thread = (await person.start_thread())["id"]
    async with watching(board, thread) as stream:
        post = await person.write(thread, "café \U0001f600 <i> \u2028 \u0085 end")
        told = await stream.next()
    assert told.data == (await visitor.get(f"/api/posts/{post['id']}")).json() == post


async def test_resumed_stream_sends_the_missed_events(board: Board, person: Person) -> None:
    thread = (await person.start_thread())["id"]
    posts = [(await person.write(thread, f"No. {n}"))["id"] for n in range(5)]
    await person.http.delete(f"/api/posts/{posts[3]}")
    async with watching(board, thread, after=2) as stream:
        told = await stream.some(3)
        # The fourth post has been removed, so only its removal is sent.
        assert [(event.id, event.kind) for event in told] == [
            (3, "post"),
            (5, "post"),
            (6, "remove"),
        ]
    async with watching(board, thread, after=6) as stream:
        post = await person.write(thread, "And on")
        assert await stream.next() == StreamEvent("post", 7, post)


@pytest.mark.in_loop
async def test_streams_miss_and_repeat_nothing_while_many_write_and_readers_reconnect(
    board: Board, person: Person, other: Person
) -> None:
    thread = (await person.start_thread())["id"]
    written: list[int] = []

    async def write(who: Person) -> None:
        written.extend([(await who.write(thread, f"No. {n}"))["id"] for n in range(25)])

    async def watch() -> list[StreamEvent]:
        told: list[StreamEvent] = []
        while len(told) < 100:
            async with watching(board, thread, after=told[-1].id if told else 0) as stream:
                told += await stream.some(min(7, 100 - len(told)), within=20)
        return told

    watchers = [asyncio.create_task(watch()) for _ in range(3)]
    await asyncio.gather(*(write(who) for who in (person, other) * 2))
    for told in await asyncio.gather(*watchers):
        assert [event.id for event in told] == list(range(1, 101))
        assert [event.data["id"] for event in told] == sorted(written)


async def test_a_stream_begins_at_once_in_a_thread_without_posts(
    board: Board, person: Person
) -> None:
    thread = (await person.start_thread())["id"]
    async with watching(board, thread) as stream:
        assert stream.last_id == 0
        post = await person.write(thread)
        assert await stream.next() == StreamEvent("post", 1, post)


@pytest.mark.in_loop
async def test_stream_of_an_unknown_thread_is_empty(
    board: Board,
) -> None:
    # Reads do not call threads, and posts knows only threads with a post.
    async with watching(board, 2**63 - 1) as stream:
        assert stream.last_id == 0


async def test_post_through_one_instance_reaches_streams_of_another(
    monolith: Board, services: Board
) -> None:
    async with joining(monolith) as writer:
        thread = (await writer.start_thread())["id"]
        async with watching(monolith, thread) as here, watching(services, thread) as there:
            post = await writer.write(thread)
            told = StreamEvent("post", 1, post)
            assert [await here.next(), await there.next()] == [told, told]


@pytest.mark.in_loop
async def test_future_version_is_rejected(visitor: httpx.AsyncClient, person: Person) -> None:
    thread = (await person.start_thread())["id"]
    await person.write(thread)
    response = await visitor.get(_path(thread), headers={"Last-Event-ID": "2"})
    assert (response.status_code, slug(response)) == (400, "malformed-request")


@pytest.mark.in_loop
async def test_last_event_id_of_another_thread_is_treated_as_this_threads(
    board: Board, person: Person
) -> None:
    # An event's id is its number within the thread, and does not identify the thread.
    thread, elsewhere = [(await person.start_thread())["id"] for _ in range(2)]
    for place in (elsewhere, thread, thread):
        await person.write(place)
    async with watching(board, elsewhere) as stream:
        seen = stream.last_id
    async with watching(board, thread, after=seen) as stream:
        assert (await stream.next()).id == 2


@pytest.mark.in_loop
@pytest.mark.parametrize("last", ["x", "-1", "1.5", str(2**63), "", "1,2"])
async def test_invalid_last_event_id_is_rejected(
    visitor: httpx.AsyncClient, person: Person, last: str
) -> None:
    thread = (await person.start_thread())["id"]
    response = await visitor.get(_path(thread), headers={"Last-Event-ID": last})
    assert [pointer.lower() for pointer in pointers(response)] == ["last-event-id"]


async def test_head_returns_no_body(visitor: httpx.AsyncClient, person: Person) -> None:
    thread = (await person.start_thread())["id"]
    await person.write(thread)
    for headers in ({}, {"Last-Event-ID": "0"}, {"If-None-Match": "*"}):
        response = await visitor.head(_path(thread), headers=headers)
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["content-type"] == "text/event-stream"
        assert "etag" not in response.headers


@pytest.mark.in_loop
async def test_stream_of_an_invalid_thread_id_is_rejected(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/api/posts/in-thread/x/stream")).status_code == 404
    assert (await visitor.post("/api/posts/in-thread/1/stream")).status_code == 405
