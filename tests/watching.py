"""Reads a thread's stream as `EventSource` does (HTML standard, section 9.2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import EventSource

from tests.deployments import Board
from tests.plain_http import no_certificates


@dataclass(frozen=True)
class StreamEvent:
    """An event: its kind, its data, and the id from which to resume after it."""

    kind: str
    id: int
    data: dict[str, Any]

    @property
    def post(self) -> int:
        """The id of its post."""
        post: int = self.data["id"]
        return post


class Stream:
    """An open stream. `last_id` is what an `EventSource` would send as `Last-Event-ID`."""

    def __init__(self) -> None:
        self.last_id = -1
        self._events: asyncio.Queue[StreamEvent | None] = asyncio.Queue()
        self._opened = asyncio.Event()

    async def next(self, within: float = 10.0) -> StreamEvent:
        """The next event."""
        async with asyncio.timeout(within):
            event = await self._events.get()
        assert event is not None, "the stream has ended"
        return event

    async def some(self, number: int, within: float = 10.0) -> list[StreamEvent]:
        """The next `number` events."""
        async with asyncio.timeout(within):
            return [await self.next(within) for _ in range(number)]

    async def ended(self, within: float = 10.0) -> list[StreamEvent]:
        """Wait for the end of the stream. Returns the events until then."""
        rest = []
        async with asyncio.timeout(within):
            while (event := await self._events.get()) is not None:
                rest.append(event)
        return rest

    async def opened(self, within: float = 10.0) -> None:
        """Wait until the stream has sent its first id."""
        async with asyncio.timeout(within):
            await self._opened.wait()

    async def read(self, response: httpx.Response) -> None:
        """Queue every event until the response ends."""
        try:
            async for event in EventSource(response).aiter_sse():
                if not event.id:
                    continue
                self.last_id = int(event.id)
                self._opened.set()
                if event.data:
                    self._events.put_nowait(StreamEvent(event.event, self.last_id, event.json()))
        except httpx.RemoteProtocolError:
            pass  # the connection broke; an EventSource would connect again, and so do the tests
        finally:
            self._events.put_nowait(None)


@asynccontextmanager
async def watching(
    board: Board, thread: int, after: int | None = None, url: str | None = None
) -> AsyncIterator[Stream]:
    """Open the stream of a thread, from now on or from after the event `after`; through the
    gateway, or from the process at `url`."""
    path = f"/api/posts/in-thread/{thread}/stream"
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    async with (
        httpx.AsyncClient(
            base_url=url or board.url,
            timeout=None,  # noqa: S113 - a stream has no end
            trust_env=False,
            verify=no_certificates(),
        ) as http,
        http.stream("GET", path, headers=headers) as response,
    ):
        assert response.status_code == 200, (await response.aread()).decode()
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        board.conventions.record("GET", path, response.status_code)
        stream = Stream()
        reading = asyncio.create_task(stream.read(response))
        try:
            await stream.opened()
            yield stream
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
