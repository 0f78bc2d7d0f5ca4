"""Streams of the events of threads."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kernel.errors import MalformedRequest, NotFound, Unavailable
from services.posts.model import Event

log = logging.getLogger("board.stream")

KEEP_ALIVE = 15.0
"""Seconds without an event after which a comment is sent."""

BACKLOG = 1024 * 1024
"""The most unsent bytes of a client."""

_PAUSE = 1.0

Encode = Callable[[Event], bytes]


class Store(Protocol):
    """What `Streams` needs of its store."""

    async def version(self, thread: int) -> int | None:
        """The number of events of a thread; None for a removed thread."""

    async def oldest_event(self, thread: int) -> int | None:
        """The version of the thread's first event that is still stored, or None."""

    async def events(self, thread: int, after: int) -> Sequence[Event]:
        """The next events of a thread after that version, in order; none at its end."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    version: int
    data: bytes


class Watch:
    """One stream of a thread. It ends when the thread is removed, the process drains, or the client
    is too slow; the client then resumes with `Last-Event-ID` and misses nothing."""

    def __init__(self, backlog: int) -> None:
        self._backlog = backlog
        self._chunks: deque[_Chunk] = deque()
        self._behind = 0
        self._news = asyncio.Event()
        self.ended = False

    def put(self, chunk: _Chunk) -> None:
        """Append events."""
        if self.ended:
            return
        self._behind += len(chunk.data)
        if self._behind > self._backlog:
            self.end()
        else:
            self._chunks.append(chunk)
            self._news.set()

    def end(self) -> None:
        """End the feed: there will be no more events."""
        self.ended = True
        self._chunks.clear()
        self._news.set()

    async def wait(self, seconds: float) -> bool:
        """Wait at most so many seconds for events or the end. Returns whether there are any."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def continues(self, version: int) -> bool:
        """Whether the event after that version is among those that were not taken yet."""
        return any(chunk.version == version + 1 for chunk in self._chunks)

    def take(self) -> list[_Chunk]:
        """The events since the last call."""
        self._news.clear()
        chunks = list(self._chunks)
        self._chunks.clear()
        self._behind = 0
        return chunks


class _Feed:
    """A watched thread. `version` is that of the last event that its streams have; None until that
    is known."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.watches: set[Watch] = set()


class Streams:
    """All streams of this process.

    The events of a thread are read and encoded once for all of its streams, when PostgreSQL
    notifies of them. An idle stream costs its memory and a comment every `keep_alive` seconds. A
    stream with more than `backlog` unsent bytes is ended."""

    def __init__(
        self,
        store: Store,
        encode: Encode,
        keep_alive: float = KEEP_ALIVE,
        backlog: int = BACKLOG,
    ) -> None:
        self._store = store
        self._encode = encode
        self._keep_alive = keep_alive
        self._backlog = backlog
        self._feeds: dict[int, _Feed] = {}
        self._stale: set[int] = set()
        self._wanted = asyncio.Event()
        self._closed = False

    def thread_changed(self, thread: str) -> None:
        """Read the new events of this thread, or of every watched one if `thread` is empty."""
        if not thread:
            self._stale.update(self._feeds)
        elif int(thread) in self._feeds:
            self._stale.add(int(thread))
        if self._stale:
            self._wanted.set()

    def close(self) -> None:
        """End every stream, now and later: the process is stopping."""
        self._closed = True
        for feed in self._feeds.values():
            for watch in feed.watches:
                watch.end()

    async def run(self) -> None:
        """Read events and pass them to the streams, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._stale:
                thread = self._stale.pop()
                try:
                    await self._refresh(thread)
                except Unavailable:
                    self._stale.add(thread)
                    await asyncio.sleep(_PAUSE)
                except Exception:
                    log.exception("thread %d could not be streamed", thread)
                    self._end(thread)

    async def open(self, thread: int, after: int | None) -> AsyncGenerator[bytes, None]:
        """The events of a thread after that version, or from now on, as server-sent events. Raises
        `NotFound` for a removed thread, and `MalformedRequest` for a version that the thread has
        not reached yet, or whose next event has been deleted."""
        current = await self._store.version(thread)
        if current is None:
            raise NotFound("There is no such thread.")
        if after is not None and after > current:
            raise MalformedRequest("Last-Event-ID is from another thread, or from the future.")
        if after is not None and after < current:
            oldest = await self._store.oldest_event(thread)
            if oldest is None or oldest > after + 1:
                raise MalformedRequest("Last-Event-ID is too old. Read the thread again.")
        return self._watch(thread, current if after is None else after)

    async def _watch(self, thread: int, sent: int) -> AsyncGenerator[bytes, None]:
        watch = Watch(self._backlog)
        feed = self._feeds.setdefault(thread, _Feed())
        feed.watches.add(watch)
        try:
            # An event without data is not dispatched, but sets the id for resuming.
            yield f"retry: 1000\nid: {sent}\n\n".encode()
            # Read the events that other streams already have; newer ones collect in the feed.
            reads, caught_up = 0, False
            while not caught_up:
                reads, before = reads + 1, sent
                while events := await self._store.events(thread, sent):
                    sent = events[-1].version
                    yield b"".join(self._encode(event) for event in events)
                if feed.version is None:
                    feed.version = sent
                    self.thread_changed(str(thread))  # for events after this read
                # Another stream, which joined during this read, may have begun the feed with
                # later events than this one has.
                caught_up = sent >= feed.version or watch.continues(sent) or watch.ended
                if not caught_up and reads > 1 and sent == before:
                    watch.end()  # they have been deleted since: the client reads the thread again
            while not (watch.ended or self._closed):
                if not await watch.wait(self._keep_alive):
                    yield b": still here\n\n"
                    continue
                news = [chunk for chunk in watch.take() if chunk.version > sent]
                if news:
                    sent = news[-1].version
                    yield b"".join(chunk.data for chunk in news)
        except Unavailable as down:
            log.info("a stream of thread %d ends: %s", thread, down.detail)
        finally:
            feed.watches.discard(watch)
            if not feed.watches and self._feeds.get(thread) is feed:
                del self._feeds[thread]

    async def _refresh(self, thread: int) -> None:
        feed = self._feeds.get(thread)
        if feed is None or feed.version is None:
            return
        while events := await self._store.events(thread, feed.version):
            feed.version = events[-1].version
            chunks = [_Chunk(event.version, self._encode(event)) for event in events]
            for watch in feed.watches:
                for chunk in chunks:
                    watch.put(chunk)
        if await self._store.version(thread) is None:
            self._end(thread)

    def _end(self, thread: int) -> None:
        # A later stream gets a new feed, which ends in the same way.
        feed = self._feeds.pop(thread, None)
        for watch in feed.watches if feed is not None else ():
            watch.end()
