"""A stored response that is sent without the layers is the response that they would send, with the
same effects."""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import APIRouter, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.cache.changes import Changes
from kernel.errors import NotFound
from kernel.http.app import Context, create_app
from kernel.http.conditional.response_cache import depends_on, shared
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import listening
from kernel.process.settings import ProcessSettings
from kernel.process.shortcut import shortcut_of
from tests.eventually import eventually
from tests.unit.kernel.http.cached import FakeFeed

SHORT = b'{"id":1}'
LONG = b'[{"id":1,"text":"Is the water warm enough?"}]' * 40
HUGE = LONG * 600
ENCODED = b'{"id":2}'
"""What a path has that is `short` if it is decoded twice."""


class Process:
    """A process with a shared operation, whose application counts the requests that reach it."""

    def __init__(self, *, limit: int = 1000, layer: bool = False) -> None:
        self.feed = FakeFeed()
        self.changes = Changes("posts", frozenset({"thread"}))
        self.changes.follow(self.feed)
        self.lifecycle = Lifecycle()
        self.reached = 0
        self.answered = asyncio.Event()
        settings = ProcessSettings(
            port=0, public_origin="http://board", address_limit=limit, show_instance=True,
            instance="one",
        )  # fmt: skip
        context = Context("posts", "Posts", self._check, self.changes, self._router())
        self._app = create_app("test", [context], settings, self.lifecycle)
        self.shortcut = None if layer else shortcut_of(self._app)
        self.port = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached += 1
        await self._app(scope, receive, send)

    async def _check(self) -> None:
        pass

    def _router(self) -> APIRouter:
        routes = APIRouter()
        bodies = {"short": SHORT, "long": LONG, "huge": HUGE, "%73hort": ENCODED}

        @routes.get("/api/posts/{name}")
        @shared
        async def read(name: str, request: Request) -> Response:
            if name not in bodies:
                raise NotFound("There is no such post.")
            depends_on(request.scope, self.changes, "thread/1")
            return Response(bodies[name], media_type="application/json")

        @routes.get("/pages/1")
        @shared
        async def page(request: Request) -> Response:
            depends_on(request.scope, self.changes, "thread/1")
            return Response(LONG, media_type="text/html")

        @routes.get("/api/waits")
        async def wait() -> Response:
            await self.answered.wait()
            return Response(b"waited")

        return routes

    async def send(self, *heads: str) -> bytes:
        """Send these requests at once, and read until the last response has ended."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        last = get("short", "Connection: close")
        for head in (*heads, *([] if "close" in heads[-1] else [last])):
            writer.write(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n")
        async with asyncio.timeout(20):
            received = await reader.read()
        writer.close()
        return received

    async def metrics(self) -> list[str]:
        """The counters of requests and of the cache."""
        text = await self.send("GET /metrics HTTP/1.1\nHost: board\nConnection: close")
        wanted = ("board_requests_total", "board_cache_answers", "board_request_seconds_count")
        return [
            line for line in text.decode().splitlines()
            if line.startswith(wanted) and "metrics" not in line
        ]  # fmt: skip


@asynccontextmanager
async def served(process: Process) -> AsyncIterator[Process]:
    """Serve it, with every response of `/api/posts` stored in each encoding."""
    app: ASGIApp = process
    listener = socket.create_server(("127.0.0.1", 0))
    async with listening(app, listener):
        process.port = listener.getsockname()[1]
        for name in ("short", "long", "huge"):
            for coding in ("identity", "br", "gzip"):
                await process.send(get(name, f"Accept-Encoding: {coding}", "Connection: close"))
        for coding in ("identity", "br", "gzip"):
            await process.send(page(f"Accept-Encoding: {coding}", "Connection: close"))
        yield process


def get(name: str, *fields: str) -> str:
    """A request."""
    return "\n".join([f"GET /api/posts/{name} HTTP/1.1", "Host: board", *fields])


def page(*fields: str) -> str:
    """A request for a page."""
    return "\n".join(["GET /pages/1 HTTP/1.1", "Host: board", *fields])


REQUESTS = {
    "page": page("Sec-Fetch-Dest: document", "Sec-Fetch-Site: none"),
    "compressed page": page("Accept-Encoding: br", "Accept: text/html"),
    "known page": page("If-None-Match: *"),
    "page in a frame": page("Sec-Fetch-Dest: iframe"),
    "page from a link": page("Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site"),
    "short": get("short"),
    "long": get("long"),
    "brotli": get("long", "Accept-Encoding: gzip, deflate, br"),
    "gzip in two fields": get("long", "Accept-Encoding: br;q=0", "Accept-Encoding: gzip"),
    "refused coding": get("long", "Accept-Encoding: gzip;q=0"),
    "unknown coding": get("long", "Accept-Encoding: lzma"),
    "any version": get("long", "If-None-Match: *"),
    "another version": get("long", 'If-None-Match: "x"'),
    "request id": get("short", "X-Request-ID: one", "X-Request-ID: two"),
    "invalid request id": get("short", "X-Request-ID: o;ne"),
    "trace id": get("short", "X-Amzn-Trace-Id: Root=1-2"),
    "long trace id": get("short", f"X-Amzn-Trace-Id: {'x' * 300}"),
    "another address": get("short", "X-Forwarded-For: 192.0.2.1, 192.0.2.9"),
    "session": get("short", "Cookie: session=1", "Authorization: Bearer one"),
    "own script": get("short", "Sec-Fetch-Dest: empty", "Sec-Fetch-Site: same-origin"),
    "foreign script": get("short", "Sec-Fetch-Dest: empty", "Sec-Fetch-Site: cross-site"),
    "link": get("short", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site"),
    "picture": get("short", "Sec-Fetch-Dest: image"),
    "last": get("short", "Connection: close"),
    "old": "GET /api/posts/short HTTP/1.0\nHost: board\nConnection: close",
    "head": "HEAD /api/posts/long HTTP/1.1\nHost: board",
    "post": "POST /api/posts/short HTTP/1.1\nHost: board\nContent-Length: 0",
    "body": get("short", "Content-Length: 5") + "\n\n12345",
    "large body": get("short", "Content-Length: 9999999", "Connection: close"),
    "expectation": get("short", "Expect: 100-continue"),
    "upgrade": get("short", "Connection: upgrade, close", "Upgrade: h2c"),
    "slash": get("short/"),
    "other query": get("short?limit=1"),
    "empty query": get("short?"),
    "encoded path": get("%73hort"),
    "encoded twice": get("%2573hort"),
    "fragment": get("short#x"),
}


def comparable(received: bytes) -> list[str]:
    """The lines of the responses, without what differs from one request to the next."""
    text = re.sub(rb"(?m)^x-request-id: [0-9a-f]{16}\r$", b"x-request-id: new\r", received)
    text = re.sub(rb'"requestId": "[0-9a-f]{16}"', b'"requestId": "new"', text)
    text = re.sub(rb";r=[0-9]+;t=[0-9]+", b";r;t", text)
    text = re.sub(rb"(?m)^date: .*$", b"date:", text)
    heads, _, bodies = text.partition(b"\r\n\r\n")
    return [*sorted(heads.decode().split("\r\n")), bodies.decode("latin-1")]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines about requests since the last call, without their durations."""
    found = [
        re.sub(r"[0-9.]+ ms", "ms", record.getMessage())
        for record in caplog.records if record.name == "board.request"
    ]  # fmt: skip
    caplog.clear()
    return found


async def test_hit_is_what_the_layers_would_send(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with served(Process()) as short, served(Process(layer=True)) as whole:
        for process in (short, whole):
            assert ENCODED in await process.send(get("%2573hort"))
        tag = re.search(rb"etag: (\S+)", await short.send(get("long")))
        assert tag is not None
        assert tag[0] in await whole.send(get("long"))
        requests = {**REQUESTS, "own version": get("long", f"If-None-Match: {tag[1].decode()}")}
        for name, request in requests.items():
            caplog.clear()
            sent, logged = comparable(await short.send(request)), lines(caplog)
            assert (name, sent) == (name, comparable(await whole.send(request)))
            assert (name, logged) == (name, lines(caplog))
        assert await short.metrics() == await whole.metrics()


@pytest.mark.parametrize(
    "name", ["short", "long", "brotli", "any version", "session", "own script", "trace id"]
)
async def test_hit_does_not_reach_the_application(name: str) -> None:
    async with served(Process()) as process:
        before = process.reached
        await process.send(REQUESTS[name], REQUESTS[name])
        assert process.reached == before + 1  # the last one, which closes the connection


async def test_layer_around_the_application_hides_the_shortcut() -> None:
    async with served(Process(layer=True)) as process:
        before = process.reached
        await process.send(get("short"))
        assert process.reached == before + 2


@pytest.mark.parametrize("request_", [get("short"), page()], ids=["api", "page"])
async def test_hits_count_for_the_limit_once_each(request_: str) -> None:
    async with served(Process(limit=23)) as process:
        # 12 requests have filled the cache.
        received = await process.send(*[request_] * 12)
        assert received.count(b"HTTP/1.1 200 OK") == 11
        assert received.count(b"HTTP/1.1 429 ") == 2
        assert b'ratelimit: "address";r=0;' in received


async def test_no_hit_while_changes_do_not_arrive_or_after_a_change() -> None:
    async with served(Process()) as process:
        before = process.reached
        process.feed.current = False
        await process.send(get("short"))
        assert process.reached == before + 2
        process.feed.current = True
        await process.send(get("long"))
        assert process.reached == before + 3
        process.changes.notify("thread/1")
        await process.send(get("long"))
        assert process.reached == before + 5


async def test_connection_ends_after_a_stored_response_while_draining() -> None:
    async with served(Process()) as process:
        process.lifecycle.drain()
        received = await process.send(get("short"))
        assert b"connection: close\r\n" in received
        assert received.count(b"HTTP/1.1 200 OK") == 1


async def test_responses_are_sent_in_the_order_of_their_requests() -> None:
    async with served(Process()) as process:
        waits = "GET /api/waits HTTP/1.1\nHost: board"
        sending = asyncio.create_task(process.send(get("short"), waits, get("long"), get("short")))

        async def waiting() -> bool:
            return process.reached == 13  # 12 have filled the cache

        await eventually(waiting)
        process.answered.set()
        received = await sending
        found = re.findall(rb"waited|\{\"id\":1\}|\[\{\"id\"", received)
        assert found[:3] == [b'{"id":1}', b"waited", b'[{"id"']
        assert received.count(b"HTTP/1.1 200 OK") == 5


async def test_client_that_does_not_read_is_sent_no_more() -> None:
    async with served(Process()) as process:
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port, limit=1024)
        count = 500  # 500 MB
        for _ in range(count):
            writer.write(get("huge").replace("\n", "\r\n").encode() + b"\r\n\r\n")

        async def stopped() -> bool:
            before = await process.metrics()
            return before == await process.metrics() and _hits(before) > 1

        await eventually(stopped)
        assert _hits(await process.metrics()) < count / 2
        received = 0
        while received < count * len(HUGE):
            async with asyncio.timeout(20):
                received += len(await reader.read(1 << 20))
        writer.close()


def _hits(metrics: list[str]) -> int:
    [line] = [line for line in metrics if 'from="hit"' in line]
    return int(float(line.split()[1]))
