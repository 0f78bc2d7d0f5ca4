"""Watching a thread's stream, as `EventSource` does (HTML standard, section 9.2)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.deployments import Board


@dataclass(frozen=True)
class Told:
    """An event: its kind, its data, and where to resume after it."""

    kind: str
    id: int
    data: dict[str, Any]

    @property
    def post(self) -> int:
        """The post it is about."""
        post: int = self.data["id"]
        return post


class Stream:
    """A stream that is open. `last_id` is what `Last-Event-ID` would be; `comments` counts."""

    def __init__(self) -> None:
        self.last_id = -1
        self.comments = 0
        self._told: asyncio.Queue[Told | None] = asyncio.Queue()
        self._opened = asyncio.Event()

    async def next(self, within: float = 5.0) -> Told:
        """The next event."""
        told = await asyncio.wait_for(self._told.get(), within)
        assert told is not None, "the stream has ended"
        return told

    async def some(self, number: int, within: float = 5.0) -> list[Told]:
        """So many events."""
        async with asyncio.timeout(within):
            return [await self.next(within) for _ in range(number)]

    async def ended(self, within: float = 5.0) -> list[Told]:
        """Waits for the end of the stream; what was told until then."""
        rest = []
        async with asyncio.timeout(within):
            while (told := await self._told.get()) is not None:
                rest.append(told)
        return rest

    async def opened(self, within: float = 5.0) -> None:
        """Returns when the stream has said from where it tells."""
        await asyncio.wait_for(self._opened.wait(), within)

    async def read(self, response: httpx.Response) -> None:
        """Take in everything, until the answer ends."""
        kind, data, last_id = "message", "", None
        try:
            async for line in _lines(response):
                name, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.comments += 1
                elif name == "event":
                    kind = value
                elif name == "data":
                    data = value
                elif name == "id":
                    last_id = int(value)
                elif not line and last_id is not None:
                    self.last_id = last_id
                    self._opened.set()
                    if data:
                        self._told.put_nowait(Told(kind, last_id, json.loads(data)))
                    kind, data = "message", ""
        except httpx.RemoteProtocolError:
            pass  # broken off: an EventSource would come back, and so do the tests
        finally:
            self._told.put_nowait(None)


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    # httpx would break lines at what JSON may hold as it is, like U+2028.
    rest = b""
    async for data in response.aiter_bytes():
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode()


@asynccontextmanager
async def watching(
    board: Board, thread: int, after: int | None = None, url: str | None = None
) -> AsyncIterator[Stream]:
    """The stream of a thread, from now or from behind `after`; through the gateway, or from the
    process at `url`."""
    path = f"/api/posts/in-thread/{thread}/stream"
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    async with (
        httpx.AsyncClient(base_url=url or board.url, timeout=None, trust_env=False) as http,  # noqa: S113 - a stream has no end
        http.stream("GET", path, headers=headers) as response,
    ):
        assert response.status_code == 200, (await response.aread()).decode()
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        board.conventions.saw("GET", path, response.status_code)
        stream = Stream()
        reading = asyncio.create_task(stream.read(response))
        try:
            await stream.opened()
            yield stream
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
