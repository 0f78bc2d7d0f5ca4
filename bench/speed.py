"""Compares the speed of the monolith with minimal programs that send the same responses.

    python -m bench.speed [--pairs 5] [--seconds 2] [--connections 32]

Starts the monolith twice with the demo's data, with and without its cache, and `bench.peers`. wrk
sends the same requests to both programs of each pair, in turns. The result is the ratio of requests
per second of the server's CPU time: its median and range. It is CPU time because the load generator
and other programs share the machine. Limits, metrics and the log are on. A failed request ends the
run.

Needs wrk and Linux. Everything is on 127.0.0.1 and ends with the run. The exit code is 1 if a ratio
is under its floor, else 0.
"""

import argparse
import asyncio
import contextlib
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.programs import process, wait_for
from bench.wrk import run_wrk
from board.bootstrap import bootstrap
from board.migrate import migrate
from laptop import ports
from laptop.postgres.throwaway import throwaway
from topology.contexts import CONTEXT_NAMES

_ROUTES: Final = ("/api/threads", "/api/users/1", "/api/posts/in-thread/1")
_PAGE: Final = "/api/posts?limit=50"


@dataclass(frozen=True)
class Server:
    """A server's process and port."""

    pid: int
    port: int

    def url(self, path: str = "") -> str:
        """The URL of a path on this server."""
        return f"http://127.0.0.1:{self.port}{path}"


@dataclass(frozen=True)
class Measurement:
    """Requests per second of the server's CPU time, and per second of wall time."""

    per_cpu_second: float
    per_second: float


@dataclass(frozen=True)
class Pair:
    """A comparison of `ours` with `theirs`; the ratio must be at least `floor`."""

    name: str
    ours: Server
    path: str
    theirs: Server
    their_path: str
    floor: float
    tag: str | None = None


def main(arguments: Sequence[str]) -> int:
    """Measure and print everything. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure how fast the monolith answers.")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        sys.stderr.write("bench.speed needs wrk\n")
        return 2
    slow = []
    with contextlib.ExitStack() as stack:
        for pair in _pairs(stack):
            _measure(pair.ours, pair.path, 1, options.connections, pair.tag)
            _measure(pair.theirs, pair.their_path, 1, options.connections, pair.tag)
            ratios, rates = [], []
            for _ in range(options.pairs):
                theirs = _measure(
                    pair.theirs, pair.their_path, options.seconds, options.connections, pair.tag
                )
                ours = _measure(
                    pair.ours, pair.path, options.seconds, options.connections, pair.tag
                )
                ratios.append(ours.per_cpu_second / theirs.per_cpu_second)
                rates.append(ours)
            ratio = statistics.median(ratios)
            cpu = statistics.median(1e6 / rate.per_cpu_second for rate in rates)
            sys.stdout.write(
                f"{pair.name:60} {ratio:5.2f} ({min(ratios):.2f} to {max(ratios):.2f}), at least"
                f" {pair.floor:.2f}; {cpu:4.0f} us of CPU a request\n"
            )
            if ratio < pair.floor:
                slow.append(pair.name)
    for name in slow:
        sys.stderr.write(f"bench.speed: {name}: the ratio is under its floor\n")
    return 1 if slow else 0


def _pairs(stack: contextlib.ExitStack) -> Sequence[Pair]:
    server = stack.enter_context(throwaway())
    urls = {context: server.url(context, context, secrets.token_hex()) for context in CONTEXT_NAMES}
    asyncio.run(bootstrap(server.admin_url, urls))
    asyncio.run(migrate(urls))
    os.environ.update(
        {f"{context.upper()}_DATABASE_URL": url for context, url in urls.items()},
        PUBLIC_ORIGIN="http://localhost",
        DRAIN_SECONDS="0",
        ADDRESS_LIMIT="1000000000",
    )
    subprocess.run([sys.executable, "-m", "board", "demo"], check=True, stdout=subprocess.DEVNULL)
    cached = _start(stack, "-m", "monolith.main", "PORT")
    os.environ["RESPONSE_CACHE_BYTES"] = "0"
    plain = _start(stack, "-m", "monolith.main", "PORT")
    peers = _start(stack, "-m", "bench.peers", "PORT", cached.url(), urls["posts"])
    pairs = []
    for path in _ROUTES:
        bare = f"/bare{path}"
        tag = _tag(cached.url(path))
        pairs += [
            Pair(f"{path}, cached : bare ASGI", cached, path, peers, bare, 0.75),
            Pair(f"{path}, 304 : bare ASGI", cached, path, peers, bare, 0.85, tag),
        ]
    name = "50 posts, no cache : a FastAPI route with the query"
    return [*pairs, Pair(name, plain, _PAGE, peers, "/query?limit=50", 0.85)]


def _start(stack: contextlib.ExitStack, *command: str) -> Server:
    [port] = ports.free(1)
    os.environ["PORT"] = str(port)
    arguments = [str(port) if part == "PORT" else part for part in command]
    running = stack.enter_context(process([sys.executable, *arguments]))
    if command[1] == "bench.peers":
        wait_for(port, running, "/query")
    else:
        wait_for(port, running)
    return Server(running.pid, port)


def _tag(url: str) -> str:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - http
        tag: str = answer.headers["ETag"]
        return tag


def _measure(
    server: Server, path: str, seconds: int, connections: int, tag: str | None
) -> Measurement:
    header = ("--header", f"If-None-Match: {tag}") if tag else ()
    found = run_wrk(server.pid, server.url(path), seconds, connections, header)
    return Measurement(1 / found.cpu_per_request, found.rate)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
