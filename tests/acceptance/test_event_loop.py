"""No request prevents its process from answering others for long, or takes much memory."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
import pytest

from tests.conventions import DOCUMENTS
from tests.databases import Databases
from tests.effort import Effort
from tests.growing_bodies import LARGE, shapes, writes
from tests.people import PASSWORD, new_username
from tests.watched_monolith import WatchedMonolith, watched_monolith

MEBIBYTE = 1024 * 1024
LARGEST_GROWTH = 64 * MEBIBYTE
LONGEST_CALLBACK = 0.050
"""Seconds of processor time."""

DENSE = "".join(f"*a{n}* `b` [c](/d{n})\n" for n in range(1_400))
"""A text that becomes much HTML."""


@dataclass
class Client:
    """Sends one request after the other, each with an id, and measures the memory that it takes."""

    http: httpx.AsyncClient
    process: WatchedMonolith
    sent: dict[str, str] = field(default_factory=dict)
    growth: dict[str, int] = field(default_factory=dict)

    async def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request, and fail if it is answered with a 5xx."""
        number = f"n{len(self.sent)}"
        said = b"" if body is None else body[:60]
        self.sent[number] = f"{method} {path[:200]} {said!r} {str(headers)[:100]}"
        fields = {"X-Request-ID": number}
        if body is not None:
            fields |= {"Content-Type": "application/json", "If-Match": "*"}
        fields |= headers or {}
        before = self.process.reset_peak()
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
        response = await self.http.request(method, path, content=body, headers=encoded)
        self.growth[number] = self.process.peak() - before
        assert response.status_code < 500, self.sent[number]
        return response

    async def post(self, path: str, body: Mapping[str, object]) -> int:
        """Create something. Returns its id."""
        response = await self.send("POST", path, json.dumps(body).encode())
        assert response.status_code == 201, response.text
        number: int = response.json()["id"]
        return number


@asynccontextmanager
async def watched(databases: Databases) -> AsyncIterator[Client]:
    """A client of a watched process, signed in."""
    async with (
        watched_monolith(databases.urls) as process,
        httpx.AsyncClient(base_url=process.url, timeout=60, trust_env=False) as http,
    ):
        client = Client(http, process)
        who = {"username": new_username(), "password": PASSWORD}
        await client.post("/api/users", who)
        session = await client.send("POST", "/api/sessions", json.dumps(who).encode())
        http.cookies.clear()
        http.headers["Authorization"] = f"Bearer {session.json()['token']}"
        yield client


async def fill(client: Client) -> tuple[int, int]:
    """Write a thread with long posts. Returns its id, and that of a short post in it."""
    thread = await client.post("/api/threads", {"title": "Much"})
    post = await client.post("/api/posts", {"thread": thread, "text": "First"})
    for text in (DENSE, "\U0001f600" * 32_000, "word " * 6_400, "水" * 32_000):
        for _ in range(2):
            await client.post("/api/posts", {"thread": thread, "text": text[:32_000]})
    return thread, post


async def send_growing_bodies(
    client: Client, thread: int, post: int, sizes: tuple[int, ...]
) -> None:
    """Bodies of these numbers of bytes for each operation."""
    for document in DOCUMENTS:
        described = (await client.send("GET", document)).json()
        for write in writes(described):
            path = write.path.format(id=post if "/posts" in write.path else thread)
            of_write = [*sizes, 500_000] if write.path in LARGE else sizes
            for size in of_write:
                for body in shapes(write.fields, size):
                    await client.send(write.method, path, body)
                    if write.path in LARGE:
                        key = {"Idempotency-Key": f"k{len(client.sent)}"}
                        await client.send(write.method, path, body, key)


async def send_large_pages(client: Client, thread: int, post: int) -> None:
    """The largest page of each list, in every coding."""
    for path in (
        "/api/posts?limit=100", f"/api/posts/in-thread/{thread}?limit=100", f"/api/posts/{post}",
        "/api/threads?limit=100", "/api/users?limit=100", "/api/users/me", "/api/sessions",
        "/api/posts/search?q=word&limit=100", "/api/posts/search?q=%E6%B0%B4&limit=100",
        "/api/threads/search?q=much", "/api/users/search?q=ines", "/", "/docs",
        f"/api/users?{'&'.join(f'id={n}' for n in range(1, 101))}",
        f"/api/posts/{post}/revisions?limit=100", "/api/posts?limit=100&after=" + "x" * 4_000,
    ):  # fmt: skip
        for encoding in ("identity", "gzip", "br", "zstd"):
            await client.send("GET", path, headers={"Accept-Encoding": encoding})


HEADERS = (
    "Accept-Encoding", "Authorization", "Content-Encoding", "Content-Type", "Cookie",
    "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "Origin", "Sec-Fetch-Dest",
    "User-Agent", "X-Amzn-Trace-Id", "X-Forwarded-For",
)  # fmt: skip
PATTERNS = (",", "a ", 'W/"a",', "a=b;", '"', "\\", "gzip;q=0.1,", "x", "1.2.3.4,", "%", "é")
_LONGEST_HEAD = 50_000


async def send_long_heads(client: Client, post: str, patterns: Iterable[str]) -> None:
    """Header fields and queries as long as a load balancer allows, which repeat each pattern."""
    body = json.dumps({"text": "Changed"}).encode()
    for pattern in patterns:
        long = (pattern * (_LONGEST_HEAD // len(pattern))).strip()
        for name in HEADERS:
            for method, sent in (("GET", None), ("PATCH", body)):
                await client.send(method, post, sent, {name: long})
        for before in ("limit=", "id=", "q=", "", "a="):
            path = "/api/posts/search" if before == "q=" else "/api/users"
            await client.send("GET", f"{path}?{before}{quote(long)[:_LONGEST_HEAD]}")
    for pair in ("a=1&", "id=1&", "&", "limit=1&", "id=x&"):
        query = pair * (_LONGEST_HEAD // len(pair))
        await client.send("GET", f"/api/users?{query}")
    await client.send("GET", "/api/users/" + "a/" * (_LONGEST_HEAD // 2))
    await client.send("GET", "/a" + "/" * _LONGEST_HEAD)


async def test_long_heads_and_large_pages_do_not_take_much_memory(databases: Databases) -> None:
    async with watched(databases) as client:
        thread, post = await fill(client)
        await send_large_pages(client, thread, post)
        await send_long_heads(client, f"/api/posts/{post}", PATTERNS[:3])
    memory_is_bounded(client)


@pytest.mark.measured
@pytest.mark.timeout(3_600)
async def test_no_request_blocks_the_event_loop_or_takes_much_memory(
    databases: Databases, effort: Effort, capsys: pytest.CaptureFixture[str]
) -> None:
    async with watched(databases) as client:
        thread, post = await fill(client)
        await send_growing_bodies(client, thread, post, effort.body_sizes)
        await send_large_pages(client, thread, post)
        await send_long_heads(client, f"/api/posts/{post}", PATTERNS)
    longest = sorted(client.process.callbacks, key=lambda each: each.seconds)
    worst = worst_growth(client)
    with capsys.disabled():
        print(f"\n{len(client.sent):,} requests; the longest callbacks of the event loop:")  # noqa: T201
        for each in longest[-5:]:
            what = client.sent.get(each.request, "no request")
            print(f"  {each.seconds * 1000:.0f} ms of {what}: {each.what[:200]}")  # noqa: T201
        mebibytes = client.growth[worst] / MEBIBYTE
        print(f"the most memory: {mebibytes:.1f} MiB for {client.sent[worst]}")  # noqa: T201
    memory_is_bounded(client)
    assert longest[-1].seconds < LONGEST_CALLBACK, client.sent.get(longest[-1].request)


def worst_growth(client: Client) -> str:
    """The number of the request that took the most memory."""
    return max(client.growth, key=lambda number: client.growth[number])


def memory_is_bounded(client: Client) -> None:
    """Fail if any request took too much memory."""
    worst = worst_growth(client)
    assert client.growth[worst] <= LARGEST_GROWTH, client.sent[worst]
