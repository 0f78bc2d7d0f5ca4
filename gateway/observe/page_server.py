"""A small server for metrics and keys, on a port of its own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_MAX_HEAD: Final = 16 * 1024
_READ_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Page:
    """The response to a GET."""

    content_type: str
    text: str


class PageServer:
    """Answers one request per connection with what ``find`` returns for its path. If that is None,
    the answer is a 404 with the text ``hint``."""

    def __init__(self, find: Callable[[str], Page | None], hint: str) -> None:
        self._find = find
        self._hint = hint
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        """The port on which it listens."""

    async def start(self, bind: str, port: int) -> None:
        """Starts to listen; port 0 is any free port. Raises OSError."""
        self._server = await asyncio.start_server(self._connected, bind, port, limit=_MAX_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            # The request is too long or too slow, or the client has gone: send no answer.
            pass
        finally:
            writer.close()
            if task is not None:
                self._tasks.discard(task)

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        page = self._find(path.decode("latin-1"))
        if page is None:
            return _response("404 Not Found", "text/plain", f"{self._hint}\n")
        if method != b"GET":
            return _response("405 Method Not Allowed", "text/plain", f"{self._hint}\n")
        return _response("200 OK", page.content_type, page.text)


def _response(status: str, content_type: str, text: str) -> bytes:
    body = text.encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode() + body
