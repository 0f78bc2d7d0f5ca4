"""Measures the services: posts per second, delay of live posts, and the cost of open streams.

Starts users, threads and two instances of posts as processes, on a PostgreSQL that is not durable,
and sends requests to them directly, without the gateway. The client uses CPU time of the same
machine.
"""

import asyncio
import contextlib
import os
import resource
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from bench.effort import Effort
from bench.figures import Figure, Section, at_most
from bench.load.open_loop import quantile
from bench.programs import cpu_seconds, memory_mib
from board.bootstrap import bootstrap
from board.migrate import migrate
from laptop.postgres.throwaway import throwaway

_ROOT: Final = Path(__file__).parents[2]
_CONTEXTS: Final = ("users", "threads", "posts")
_COLD: Final = 100
_WRITERS: Final = 16
_STREAMS: Final = 1_000
_LIVE_POSTS: Final = 100
_IDLE_SECONDS: Final = 10
_START_SECONDS: Final = 20.0


class Service:
    """A service's process and its URL."""

    def __init__(self, context: str, environment: Mapping[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", f"services.{context}.main"],
            cwd=_ROOT,
            env={**os.environ, **environment, "PORT": str(port)},
            stdout=subprocess.DEVNULL,
        )

    async def ready(self) -> None:
        """Wait until it can serve requests."""
        deadline = time.monotonic() + _START_SECONDS
        async with httpx.AsyncClient(trust_env=False) as http:
            while time.monotonic() < deadline and self._process.poll() is None:
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
        raise SystemExit(f"The service at {self.url} did not start.")

    def stop(self) -> None:
        """Stop the process."""
        self._process.terminate()
        self._process.wait(30)

    @property
    def resident(self) -> float:
        """Its resident memory, in KiB."""
        return memory_mib(self._process.pid) * 1024

    @property
    def cpu(self) -> float:
        """The CPU time that it has used so far, in seconds."""
        return cpu_seconds(self._process.pid)


@asynccontextmanager
async def _board() -> AsyncIterator[Mapping[str, Service]]:
    async with AsyncExitStack() as stack:
        server = stack.enter_context(throwaway())
        urls = {context: server.url(context, context, secrets.token_hex()) for context in _CONTEXTS}
        await bootstrap(server.admin_url, urls)
        await migrate(urls)
        environment = {
            **{f"{context.upper()}_DATABASE_URL": url for context, url in urls.items()},
            **{f"{context.upper()}_SERVICE_TOKEN": secrets.token_hex() for context in _CONTEXTS},
            "PUBLIC_ORIGIN": "http://localhost",
            "DRAIN_SECONDS": "0",
            "POST_INTERVAL": "0",
            "PREVIEW_LIMIT": "0",
            "READING_LIMIT": "0",
            "EDIT_LIMIT": "0",
            "REGISTRATION_LIMIT": "0",
            "THREAD_INTERVAL": "0",
            "ADDRESS_LIMIT": "1000000000",
            "SIGN_IN_ADDRESS_FAILURES": "1000000",
        }
        services: dict[str, Service] = {}
        for name, context in (
            ("users", "users"), ("threads", "threads"), ("posts", "posts"), ("posts too", "posts")
        ):  # fmt: skip
            services[name] = Service(context, environment)
            stack.callback(services[name].stop)
            environment[f"{context.upper()}_URL"] = services[name].url
            await services[name].ready()
        yield services


@asynccontextmanager
async def _client(services: Mapping[str, Service]) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(timeout=30, limits=limits, trust_env=False) as http:
        who = {"username": "bench", "password": secrets.token_hex()}
        (await http.post(f"{services['users'].url}/api/users", json=who)).raise_for_status()
        session = await http.post(f"{services['users'].url}/api/sessions", json=who)
        http.cookies.clear()
        http.headers["Authorization"] = f"Bearer {session.raise_for_status().json()['token']}"
        yield http


async def _start_thread(http: httpx.AsyncClient, services: Mapping[str, Service]) -> int:
    url = f"{services['threads'].url}/api/threads"
    answer = await http.post(url, json={"title": "Measured"})
    thread: int = answer.raise_for_status().json()["id"]
    return thread


async def _write(http: httpx.AsyncClient, service: Service, thread: int) -> dict[str, Any]:
    answer = await http.post(
        f"{service.url}/api/posts", json={"thread": thread, "text": "Is the water *warm*?"}
    )
    post: dict[str, Any] = answer.raise_for_status().json()
    return post


async def _posts_a_second(
    http: httpx.AsyncClient, services: Mapping[str, Service], writers: int, seconds: float
) -> tuple[float, bool]:
    """Measure posts per second: half of the writers share one thread, the others have their own.

    Also returns whether all threads counted their posts correctly.
    """
    hot = await _start_thread(http, services)
    cold = [await _start_thread(http, services) for _ in range(_COLD)]
    written: Counter[int] = Counter()
    began = time.monotonic()

    async def write(number: int) -> None:
        service = services["posts" if number % 4 < 2 else "posts too"]
        turn = number
        while time.monotonic() - began < seconds:
            thread = hot if number % 2 else cold[turn % _COLD]
            await _write(http, service, thread)
            written[thread] += 1
            turn += writers

    await asyncio.gather(*(write(number) for number in range(writers)))
    rate = written.total() / (time.monotonic() - began)
    return rate, await _counted(http, services, written)


async def _counted(
    http: httpx.AsyncClient, services: Mapping[str, Service], written: Mapping[int, int]
) -> bool:
    deadline = time.monotonic() + 15
    missing = dict(written)
    while missing and time.monotonic() < deadline:
        for thread, count in list(missing.items()):
            shown = await http.get(f"{services['threads'].url}/api/threads/{thread}")
            if shown.json()["postCount"] == count:
                del missing[thread]
        await asyncio.sleep(0.05)
    return not missing


async def _until_seen(http: httpx.AsyncClient, services: Mapping[str, Service]) -> list[float]:
    """The times from sending a post until another instance's stream has it, in seconds."""
    thread = await _start_thread(http, services)
    reader, writer = await _open_stream(services["posts too"], thread)
    took = []
    for _ in range(_LIVE_POSTS):
        began = time.perf_counter()
        posting = asyncio.create_task(_write(http, services["posts"], thread))
        async with asyncio.timeout(10):
            await reader.readuntil(b"event: post\n")
        took.append(time.perf_counter() - began)
        await posting
    writer.close()
    return took


async def _open_stream(
    service: Service, thread: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    path = f"/api/posts/in-thread/{thread}/stream"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    async with asyncio.timeout(30):
        await reader.readuntil(b"id: ")
    return reader, writer


async def _cost_of_streams(
    http: httpx.AsyncClient, services: Mapping[str, Service], number: int
) -> tuple[float, float]:
    """The memory of each open stream in KiB, and the share of a core that all idle ones use."""
    threads = [await _start_thread(http, services) for _ in range(_COLD)]
    service = services["posts"]
    before = service.resident
    streams = [await _open_stream(service, threads[turn % _COLD]) for turn in range(number)]
    memory = (service.resident - before) / number
    used = service.cpu
    await asyncio.sleep(_IDLE_SECONDS)
    share = (service.cpu - used) / _IDLE_SECONDS
    for _, writer in streams:
        writer.close()
    return memory, share


async def _measure(effort: Effort) -> Section:
    async with _board() as services, _client(services) as http:
        results = [
            await _posts_a_second(http, services, _WRITERS, 2 * effort.seconds)
            for _ in range(effort.pairs)
        ]
        delays = [await _until_seen(http, services) for _ in range(effort.pairs)]
        memory, share = await _cost_of_streams(http, services, _STREAMS)
    limit = at_most(100)
    return Section(
        "Posts and streams of the services",
        "Users, threads and two instances of posts, each a process, without the gateway;"
        f" {_WRITERS} writers in one Python client, half of them in one thread;"
        f" {_LIVE_POSTS} live posts a run. All posts are counted in their threads at the end.",
        (
            Figure(
                f"posts of {_WRITERS} writers, two instances",
                tuple(rate for rate, _ in results),
                "/s",
                digits=0,
            ),
            Figure(
                "until another instance's stream has a post, median",
                tuple(statistics.median(each) * 1000 for each in delays),
                "ms",
                limit,
                limit,
                digits=1,
            ),
            Figure(
                "until another instance's stream has a post, p99",
                tuple(quantile(each, 0.99) * 1000 for each in delays),
                "ms",
                goal=limit,
                digits=1,
            ),
            Figure(f"memory of one of {_STREAMS:,} open streams", (memory,), "KiB", digits=0),
            Figure(f"CPU of {_STREAMS:,} idle streams", (share * 100,), "% of a core", digits=1),
        ),
        wrong=() if all(counted for _, counted in results) else ("a thread's count is wrong",),
    )


def measure(effort: Effort) -> Section:
    """Measure everything."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return asyncio.run(_measure(effort))
