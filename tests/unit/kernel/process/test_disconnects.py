"""What happens to the request of a client that has disconnected."""

import asyncio
import socket

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from kernel.process.serve import listening


class Work:
    """An application whose requests wait until the test lets them go on."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.finished = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.began.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.finished.set()
        await PlainTextResponse("done")(scope, receive, send)


async def disconnect_during(work: Work, method: str, path: str, port: int) -> None:
    """Send a request, and disconnect while it is being served."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: board\r\nContent-Length: 0\r\n\r\n".encode())
    await work.began.wait()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/threads"), ("HEAD", "/"), ("POST", "/internal/users/authenticate")],
)
async def test_request_that_can_be_repeated_is_cancelled(
    method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work()
    listener = socket.create_server(("127.0.0.1", 0))
    async with asyncio.timeout(20), listening(work, listener):
        await disconnect_during(work, method, path, listener.getsockname()[1])
        await work.cancelled.wait()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_write_of_a_client_goes_on() -> None:
    work = Work()
    listener = socket.create_server(("127.0.0.1", 0))
    async with asyncio.timeout(20), listening(work, listener):
        port = listener.getsockname()[1]
        await disconnect_during(work, "POST", "/api/posts", port)
        work.go_on.set()
        await work.finished.wait()
    assert not work.cancelled.is_set()


async def test_other_connections_go_on() -> None:
    work = Work()
    listener = socket.create_server(("127.0.0.1", 0))
    async with asyncio.timeout(20), listening(work, listener):
        port = listener.getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/threads HTTP/1.1\r\nHost: board\r\n\r\n")
        await work.began.wait()
        await disconnect_during(work, "GET", "/api/threads", port)
        await work.cancelled.wait()
        work.go_on.set()
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()


async def test_connection_serves_a_request_after_a_disconnect_elsewhere() -> None:
    work = Work()
    work.go_on.set()
    listener = socket.create_server(("127.0.0.1", 0))
    async with asyncio.timeout(20), listening(work, listener):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
        for _ in range(2):
            writer.write(b"GET /api/threads HTTP/1.1\r\nHost: board\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"200 OK" in head
            await reader.readexactly(len("done"))
        writer.close()
