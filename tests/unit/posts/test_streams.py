"""Streams of a thread, with events that the test makes up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kernel.errors import MalformedRequest, NotFound, Unavailable
from kernel.process.background import running
from services.posts.event_stream import EventStream
from services.posts.model import Event
from services.posts.stream import Streams

THREAD = 7


class FakeStore:
    """The events of one thread, in memory."""

    def __init__(self) -> None:
        self.happened: list[Event] = []
        self.removed = False
        self.down = False
        self.deleted = 0

    def happen(self) -> None:
        self.happened.append(Event(len(self.happened) + 1, "remove", 1, None))

    async def version(self, _thread: int) -> int | None:
        return None if self.removed else len(self.happened)

    async def events(self, _thread: int, after: int) -> list[Event]:
        if self.down:
            raise Unavailable("Down.")
        return self.happened[after : after + 2]

    async def oldest_event(self, _thread: int) -> int | None:
        return self.deleted + 1 if len(self.happened) > self.deleted else None


def _encode(event: Event) -> bytes:
    return b"%d\n\n" % event.version


@asynccontextmanager
async def _streaming(
    store: FakeStore, keep_alive: float = 60, backlog: int = 1000
) -> AsyncIterator[Streams]:
    streams = Streams(store, _encode, keep_alive, backlog)
    async with running(streams.run()):
        yield streams


async def _next(stream: AsyncGenerator[bytes, None]) -> bytes:
    async with asyncio.timeout(20):
        return await anext(stream)


async def _idle() -> None:
    """Let all tasks run until each waits: nothing here takes more than a few turns of the loop."""
    for _ in range(20):
        await asyncio.sleep(0)


async def _rest(stream: AsyncGenerator[bytes, None]) -> bytes:
    async with asyncio.timeout(20):
        return b"".join([data async for data in stream])


async def test_stream_begins_with_its_current_id() -> None:
    store = FakeStore()
    store.happen()
    async with _streaming(store) as streams:
        stream = await streams.open(THREAD, None)
        assert await _next(stream) == b"retry: 1000\nid: 1\n\n"
        store.happen()
        streams.thread_changed(str(THREAD))
        assert await _next(stream) == b"2\n\n"
        await stream.aclose()


async def test_idle_stream_sends_comments() -> None:
    async with _streaming(FakeStore(), keep_alive=0.01) as streams:
        stream = await streams.open(THREAD, None)
        await _next(stream)
        assert await _next(stream) == await _next(stream) == b": still here\n\n"
        await stream.aclose()


async def test_resumed_stream_gets_all_missed_events() -> None:
    store = FakeStore()
    for _ in range(7):
        store.happen()
    async with _streaming(store) as streams:
        stream = await streams.open(THREAD, 2)
        told = [await _next(stream) for _ in range(4)]
        assert b"".join(told[1:]) == b"3\n\n4\n\n5\n\n6\n\n7\n\n"
        await stream.aclose()


async def test_open_stream_gets_every_event_of_a_burst() -> None:
    store = FakeStore()
    async with _streaming(store) as streams:
        stream = await streams.open(THREAD, None)
        await _next(stream)
        waiting = asyncio.create_task(_next(stream))
        await _idle()
        for _ in range(7):  # more than the store returns at once
            store.happen()
        streams.thread_changed(str(THREAD))
        told = await waiting
        while not told.endswith(b"7\n\n"):
            told += await _next(stream)
        assert told == b"1\n\n2\n\n3\n\n4\n\n5\n\n6\n\n7\n\n"
        await stream.aclose()


async def test_lost_notifications_make_every_stream_read_again() -> None:
    store = FakeStore()
    async with _streaming(store) as streams:
        stream = await streams.open(THREAD, None)
        await _next(stream)
        waiting = asyncio.create_task(_next(stream))
        store.happen()
        streams.thread_changed("")
        assert await waiting == b"1\n\n"
        await stream.aclose()


async def test_slow_reader_is_disconnected_and_misses_nothing_after_resuming() -> None:
    store = FakeStore()

    async def happen(*waiting: AsyncGenerator[bytes, None]) -> list[bytes]:
        tasks = [asyncio.create_task(_next(stream)) for stream in waiting]
        await _idle()
        store.happen()
        streams.thread_changed(str(THREAD))
        return [await task for task in tasks]

    async with _streaming(store, backlog=10) as streams:
        slow, quick = [await streams.open(THREAD, None) for _ in range(2)]
        for stream in (slow, quick):
            await _next(stream)
        assert await happen(slow, quick) == [b"1\n\n"] * 2
        for version in range(2, 12):
            assert await happen(quick) == [b"%d\n\n" % version]
        assert await _rest(slow) == b""
        again = await streams.open(THREAD, 1)
        await _next(again)
        for version in range(2, 12, 2):
            assert await _next(again) == b"%d\n\n%d\n\n" % (version, version + 1)
        for stream in (again, quick):
            await stream.aclose()


async def test_streams_end_when_the_process_drains_and_new_ones_catch_up_and_end() -> None:
    store = FakeStore()
    store.happen()
    async with _streaming(store) as streams:
        stream = await streams.open(THREAD, None)
        await _next(stream)
        streams.close()
        assert await _rest(stream) == b""
        assert await _rest(await streams.open(THREAD, 0)) == b"retry: 1000\nid: 0\n\n1\n\n"


async def test_the_streams_of_a_removed_thread_end() -> None:
    store = FakeStore()
    async with _streaming(store) as streams:
        stream, late = [await streams.open(THREAD, None) for _ in range(2)]
        await _next(stream)
        store.removed = True
        streams.thread_changed(str(THREAD))
        assert await _rest(stream) == b""
        # This one was admitted before, and begins only now.
        assert await _rest(late) == b"retry: 1000\nid: 0\n\n"
        with pytest.raises(NotFound):
            await streams.open(THREAD, None)


async def test_outage_ends_resuming_streams_and_delays_others() -> None:
    store = FakeStore()
    async with _streaming(store) as streams:
        stream = await streams.open(THREAD, None)
        await _next(stream)
        following = asyncio.create_task(_next(stream))
        await _idle()
        store.down = True
        store.happen()
        streams.thread_changed(str(THREAD))
        assert await _rest(await streams.open(THREAD, 0)) == b"retry: 1000\nid: 0\n\n"
        store.down = False
        assert await following == b"1\n\n"
        await stream.aclose()


async def test_rejects_resuming_from_a_future_id() -> None:
    async with _streaming(FakeStore()) as streams:
        with pytest.raises(MalformedRequest):
            await streams.open(THREAD, 1)


async def test_abandoned_response_closes_its_events() -> None:
    closed = asyncio.Event()

    async def events() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"1\n\n"
        finally:
            closed.set()

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()  # a client that reads nothing

    async with asyncio.timeout(20):
        await EventStream(events(), patience=0.01).stream_response(send)
    assert closed.is_set()


async def test_stream_does_not_resume_where_events_have_been_deleted() -> None:
    store = FakeStore()
    for _ in range(5):
        store.happen()
    store.deleted = 3
    streams = Streams(store, _encode)
    for after in (0, 2):
        with pytest.raises(MalformedRequest, match="too old"):
            await streams.open(THREAD, after)
    resumed = [await streams.open(THREAD, after) for after in (3, 4, 5)]
    for stream in [*resumed, await streams.open(THREAD, None)]:
        await stream.aclose()


class SlowStore(FakeStore):
    """Answers the first question for events late, with what there was when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = asyncio.Event()
        self._asked = False

    async def events(self, thread: int, after: int) -> list[Event]:
        found = await super().events(thread, after)
        if not self._asked:
            self._asked = True
            await self.answer.wait()
        return found


async def test_stream_misses_nothing_if_another_joins_while_it_catches_up() -> None:
    store = SlowStore()
    async with _streaming(store) as streams:
        first = await streams.open(THREAD, None)
        await _next(first)
        following = asyncio.create_task(_next(first))
        await _idle()
        # The first has read that there is nothing, and does not know it yet.
        store.happen()
        store.happen()
        second = await streams.open(THREAD, None)
        assert await _next(second) == b"retry: 1000\nid: 2\n\n"
        joined = asyncio.create_task(_next(second))
        await _idle()
        store.answer.set()
        assert await following == b"1\n\n2\n\n"
        store.happen()
        streams.thread_changed(str(THREAD))
        assert await joined == b"3\n\n"
        assert await _next(first) == b"3\n\n"
        await first.aclose()
        await second.aclose()
