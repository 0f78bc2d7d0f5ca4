"""Compares the speed of the monolith's reads with minimal programs that send the same responses.

Starts the monolith twice with the demo's data, with and without its cache, and `bench.peers`. wrk
sends the same requests to both programs of each pair, in turns. The result is the ratio of requests
per second of the server's CPU time, because the load generator and other programs share the
machine. A response that is not as long as a correct one fails the run, as a failed request does.
"""

import contextlib
import http.client
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from bench.board import Server, create_databases, running
from bench.effort import Effort
from bench.figures import Bound, Figure, Section, at_least
from bench.peers import serving
from bench.programs import process
from bench.tools.wrk import LoadRun, run_wrk
from laptop.postgres.throwaway import throwaway

ROUTES: Final = ("/api/threads", "/api/users/1", "/api/posts/in-thread/1")
_PAGE: Final = "/api/posts?limit=50"
_CONNECTIONS: Final = 32
_TOLERANCE: Final = 0.02
"""A response's size varies with the digits of the limit's fields, and its last one may be cut."""


@dataclass(frozen=True)
class Pair:
    """A comparison of `ours` with `theirs`, for requests with `If-None-Match: tag` if it is set."""

    name: str
    ours: Server
    path: str
    theirs: Server
    their_path: str
    floor: Bound
    goal: Bound
    tag: str | None = None


def measure(effort: Effort) -> Section:
    """Measure all pairs."""
    figures: list[Figure] = []
    with throwaway() as postgres, contextlib.ExitStack() as stack:
        urls = create_databases(postgres)
        fill_with_demo(urls)
        cached = stack.enter_context(running("monolith", urls, with_logs=False))
        plain = stack.enter_context(
            running("monolith", urls, with_logs=False, settings={"RESPONSE_CACHE_BYTES": "0"})
        )
        boards = (cached, plain)
        ours, uncached = (board.servers["monolith"] for board in boards)
        peers = stack.enter_context(serving(ours.url(), urls["posts"]))
        for pair in _pairs(ours, uncached, peers):
            figures += compare(pair, effort)
        wrong = [error for board in boards for error in board.errors()]
    return Section(
        "Reads of the monolith",
        "One process with limits, metrics and the log on and the demo's data, loaded by `wrk` with"
        f" {_CONNECTIONS} connections, {effort.seconds} s at a time, in turns with another program:"
        " a bare ASGI callable that sends the same bytes on the same server, or a FastAPI route"
        " that runs the query and sends as many bytes. A ratio is that of requests per second of"
        " CPU time.",
        tuple(figures),
        wrong=tuple(wrong),
    )


def _pairs(cached: Server, plain: Server, peers: Server) -> list[Pair]:
    pairs = []
    for path in ROUTES:
        bare, tag = f"/bare{path}", _tag(cached.url(path))
        hit, revalidated = at_least(0.75), at_least(0.85)
        pairs += [
            Pair(f"`{path}`, cached : bare ASGI", cached, path, peers, bare, hit, hit),
            Pair(
                f"`{path}`, 304 : bare ASGI", cached, path, peers, bare, revalidated, revalidated,
                tag,
            ),
        ]  # fmt: skip
    name = f"50 posts (`{_PAGE}`), no cache : a FastAPI route with the query"
    page = Pair(
        name, plain, _PAGE, peers, "/query?limit=50", floor=at_least(0.64), goal=at_least(0.85)
    )
    return [*pairs, page]


def compare(pair: Pair, effort: Effort) -> list[Figure]:
    """The ratio of requests per second of CPU time, and our CPU time per request."""
    _load(pair.ours, pair.path, 1, pair.tag)
    _load(pair.theirs, pair.their_path, 1, pair.tag)
    ratios, costs = [], []
    for _ in range(effort.pairs):
        theirs = _load(pair.theirs, pair.their_path, effort.seconds, pair.tag)
        ours = _load(pair.ours, pair.path, effort.seconds, pair.tag)
        ratios.append(theirs.cpu_per_request / ours.cpu_per_request)
        costs.append(ours.cpu_per_request * 1e6)
    cost = f"{pair.name.partition(' :')[0]}: CPU time of a request"
    return [
        Figure(pair.name, tuple(ratios), floor=pair.floor, goal=pair.goal),
        Figure(cost, tuple(costs), "µs", digits=0),
    ]


def _load(server: Server, path: str, seconds: int, tag: str | None) -> LoadRun:
    header = ("--header", f"If-None-Match: {tag}") if tag else ()
    expected = response_size(server.url(path), tag)
    run = run_wrk(server.pid, server.url(path), seconds, _CONNECTIONS, header)
    check_size(run, expected, server.url(path))
    return run


def check_size(run: LoadRun, expected: int, url: str) -> None:
    """Raises `RuntimeError` if responses were not as long as a correct one, on average."""
    if abs(run.response_bytes - expected) > expected * _TOLERANCE:
        raise RuntimeError(
            f"{url}: {run.response_bytes:.0f} bytes a response, and not {expected}: wrong responses"
        )


def response_size(url: str, tag: str | None = None) -> int:
    """The bytes of one response, head and body. Raises `RuntimeError` unless it is a 200, or a 304
    for a `tag`."""
    status, fields, body = fetch(url, tag)
    if status != (304 if tag else 200):
        raise RuntimeError(f"{url}: {status}")
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fields]
    return len("\r\n".join(lines)) + 4 + len(body)


def fetch(url: str, tag: str | None) -> tuple[int, list[tuple[str, str]], bytes]:
    """The status, fields and body of one response, on a connection that stays open."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    with contextlib.closing(connection):
        path = urlunsplit(("", "", parts.path, parts.query, ""))
        connection.request("GET", path, headers={"If-None-Match": tag} if tag else {})
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()


def fill_with_demo(urls: Mapping[str, str]) -> None:
    """Fill empty, migrated databases with the demo's content."""
    environment = {f"{context.upper()}_DATABASE_URL": url for context, url in urls.items()}
    with process([sys.executable, "-m", "board", "demo"], environment=environment) as running_demo:
        if running_demo.wait(300) != 0:
            raise RuntimeError("the demo's content could not be written")


def _tag(url: str) -> str:
    _, fields, _ = fetch(url, None)
    [tag] = [value for name, value in fields if name.lower() == "etag"]
    return tag
