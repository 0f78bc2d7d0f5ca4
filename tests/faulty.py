"""A service with a fault, for tests of its callers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

Fault = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Handles a connection on which a request has arrived."""


def answering(status: str, content_type: str, body: bytes, *, length: int | None = None) -> Fault:
    """A fault that answers every request with this; `length` may be a wrong Content-Length."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body) if length is None else length}\r\n"
            "Connection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()

    return answer


async def hanging(_writer: asyncio.StreamWriter) -> None:
    """Takes the request and never answers."""
    await asyncio.Event().wait()


async def dripping(writer: asyncio.StreamWriter) -> None:
    """Sends a byte now and then, so that no read times out, and never ends its response."""
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def hanging_up(_writer: asyncio.StreamWriter) -> None:
    """Closes the connection without a response."""


_JSON = "application/json"
_PROBLEM = b'{"type": "/problems/%s", "title": "x", "status": %d, "detail": "x"}'

SLOW: Mapping[str, Fault] = {"hangs": hanging, "drips": dripping}
"""Faults that a caller notices only by its timeout."""

QUICK: Mapping[str, Fault] = {
    "hangs up": hanging_up,
    "answers a page": answering("200 OK", "text/html", b"<h1>Welcome to nginx!</h1>"),
    "answers half of its JSON": answering("200 OK", _JSON, b'{"id": 1, "ro', length=40),
    "answers broken JSON": answering("200 OK", _JSON, b'{"id": 1, "ro'),
    "answers another shape": answering("200 OK", _JSON, b'{"user": "root", "admin": true}'),
    "answers null": answering("200 OK", _JSON, b"null"),
    "answers nothing": answering("204 No Content", _JSON, b""),
    "fails": answering("500 Internal Server Error", "text/plain", b"Traceback"),
    "is unavailable": answering(
        "503 Service Unavailable", "application/problem+json", _PROBLEM % (b"unavailable", 503)
    ),
    "is behind a broken load balancer": answering("502 Bad Gateway", "text/html", b"<html>"),
    "is somebody else, with a 404": answering("404 Not Found", "text/html", b"<h1>404</h1>"),
    "is another service, with a 404": answering(
        "404 Not Found", "application/problem+json", _PROBLEM % (b"no-such-path", 404)
    ),
    "is somebody else, with a 401": answering("401 Unauthorized", "text/plain", b"Who are you?"),
    "refuses our token": answering(
        "403 Forbidden", "application/problem+json", _PROBLEM % (b"forbidden", 403)
    ),
    "redirects": answering("302 Found", "text/html", b""),
}
"""Faults that a caller notices at once."""


class FaultyServer:
    """A server on the loopback interface, whose fault can be changed."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.url = ""
        self._serving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FaultyServer"]:
        """Listen until the block ends."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in list(self._serving):
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await self.fault(writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has disconnected, or the test has ended
        finally:
            writer.close()
            self._serving.discard(task)
