"""How a process treats its connections, in an event loop whose clock the test moves."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.process.serve import listening

T = TypeVar("T")

LOAD_BALANCER_IDLE = 60.0
"""Seconds after which a load balancer closes an idle connection."""


class MovableLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock a test moves forward."""

    moved = 0.0

    def time(self) -> float:
        """Seconds, with what the test has added."""
        return super().time() + self.moved


class Client:
    """One connection to a process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, *fields: str) -> None:
        """Send a request with these header fields."""
        lines = ["GET / HTTP/1.1", "Host: board", *fields, "", ""]
        self._writer.write("\r\n".join(lines).encode())
        await self._writer.drain()

    async def send_to(self, *paths: str) -> None:
        """Send requests for these paths at once."""
        self._writer.write(
            b"".join(f"GET {p} HTTP/1.1\r\nHost: board\r\n\r\n".encode() for p in paths)
        )
        await self._writer.drain()

    async def response(self) -> str:
        """The next response, with its body; empty when the connection has ended."""
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return ""
        length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
        return head + (await self._reader.readexactly(length)).decode()

    def close(self) -> None:
        """End the connection."""
        self._writer.close()


def serving(app: ASGIApp, test: Callable[[int, MovableLoop], Awaitable[T]]) -> T:
    """What the test returns, while the application is served on the port that it gets."""

    async def run() -> T:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, MovableLoop)
        listener = socket.create_server(("127.0.0.1", 0))
        async with listening(app, listener):
            return await test(listener.getsockname()[1], loop)

    with asyncio.Runner(loop_factory=MovableLoop) as runner:
        return runner.run(run())


async def connect(port: int) -> Client:
    """A new connection."""
    return Client(*await asyncio.open_connection("127.0.0.1", port))


def test_idle_connection_outlives_the_load_balancers_timeout() -> None:
    async def test(port: int, loop: MovableLoop) -> list[bool]:
        client = await connect(port)
        answered = []
        for seconds in (0, LOAD_BALANCER_IDLE + 10, 3600):
            loop.moved += seconds
            await asyncio.sleep(0.01)  # real: the loop closes what is due by its clock
            try:
                await client.send()
                answered.append("200 OK" in await client.response())
            except ConnectionError:
                answered.append(False)
        client.close()
        return answered

    assert serving(JSONResponse({}), test) == [True, True, False]


def test_body_is_sent_without_waiting_for_an_acknowledgement_of_the_head() -> None:
    async def run() -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        async with listening(JSONResponse({}), listener):
            return listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    with asyncio.Runner() as runner:
        assert runner.run(run()) != 0


def test_request_in_flight_is_answered_after_the_end_of_draining() -> None:
    started, finish = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        started.set()
        await finish.wait()
        await JSONResponse({"answered": True})(scope, receive, send)

    async def run() -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        async with listening(slow, listener):
            client = await connect(listener.getsockname()[1])
            await client.send()
            await started.wait()
            asyncio.get_running_loop().call_later(0.5, finish.set)
        # The process ends here: only a server that has waited has answered.
        assert finish.is_set()
        response = await client.response()
        client.close()
        return response

    with asyncio.Runner() as runner:
        assert '{"answered":true}' in runner.run(run())


def test_peer_is_never_taken_from_forwarded_headers() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        assert request.client is not None
        answer = {"peer": request.client.host, "scheme": request.url.scheme}
        await JSONResponse(answer)(scope, receive, send)

    async def test(port: int, _loop: MovableLoop) -> str:
        client = await connect(port)
        await client.send("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")
        response = await client.response()
        client.close()
        return response

    assert '{"peer":"127.0.0.1","scheme":"http"}' in serving(app, test)


class Quick:
    """An application that answers every path but `/` by its shortcut."""

    def __init__(self) -> None:
        self.started, self.finish = asyncio.Event(), asyncio.Event()

    def shortcut(
        self, target: bytes, _fields: object, _client: object, lines: bytes
    ) -> bytes | None:
        if target == b"/":
            return None
        return b"HTTP/1.1 200 OK\r\n" + lines + b"content-length: 2\r\n\r\n{}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.started.set()
        await self.finish.wait()
        await JSONResponse({"answered": True})(scope, receive, send)


def test_idle_connection_ends_after_a_response_without_a_task() -> None:
    async def test(port: int, loop: MovableLoop) -> list[str]:
        client = await connect(port)
        await client.send_to("/hit")
        responses = [await client.response()]
        loop.moved += 3600
        responses.append(await client.response())
        client.close()
        return responses

    first, second = serving(Quick(), test)
    assert "200 OK" in first
    assert second == ""


def test_long_response_is_not_cut_off_after_a_response_without_a_task() -> None:
    quick = Quick()

    async def test(port: int, loop: MovableLoop) -> str:
        client = await connect(port)
        await client.send_to("/hit", "/")
        await quick.started.wait()
        loop.moved += 3600
        await client.response()
        quick.finish.set()
        response = await client.response()
        client.close()
        return response

    assert "answered" in serving(quick, test)
