"""Compares a post's creation with a route that only inserts the row.

Everything is on: sessions, the limit of posts per user, Markdown, the word index, the thread's
count, notifications. Writers take turns. A run fails unless the database has as many new posts as
were acknowledged.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import asyncpg

from bench.board import create_databases, running, tree_cpu_seconds
from bench.content import Content, fill_board
from bench.effort import Effort
from bench.figures import Figure, Section, at_least
from bench.peers import serving
from bench.tools.wrk import LoadRun, run_wrk
from laptop.postgres.throwaway import throwaway

_CONNECTIONS: Final = 8
_SETTLED: Final = 0.5
"""Seconds without a new post after which none will come."""
_SCRIPT: Final = """
local tokens = {%(tokens)s}
local count = %(first)d
request = function()
  count = count + 1
  return wrk.format("POST", nil, {
    ["Host"] = "localhost", ["Content-Type"] = "application/json",
    ["Authorization"] = "Bearer " .. tokens[count %% #tokens + 1],
  }, '{"thread": ' .. (count %% %(threads)d + 1) .. ', "text": "Is the *water* warm?"}')
end
"""


@dataclass(frozen=True)
class _Writer:
    """Who creates posts at a URL, and how to read the CPU time that it uses."""

    name: str
    url: str
    cpu: Callable[[int], float]
    pid: int


class _Posts:
    """The posts in the database: how many there are, and who writes the next one."""

    def __init__(self, url: str, content: Content) -> None:
        self._url = url
        self._content = content
        self._first = 0

    def write(self, writer: _Writer, seconds: int) -> LoadRun:
        """Write posts for `seconds`. Raises `RuntimeError` if any request failed, or if there are
        not as many new posts as responses."""
        script = _SCRIPT % {
            "tokens": ",".join(json.dumps(token) for token in self._content.tokens),
            "first": self._first,
            "threads": len(self._content.threads),
        }
        before = self._settled()
        run = run_wrk(writer.pid, writer.url, seconds, _CONNECTIONS, script=script, cpu=writer.cpu)
        new = self._settled() - before
        # Requests that wrk abandoned at the end may have been carried out.
        if not run.requests <= new <= run.requests + _CONNECTIONS:
            raise RuntimeError(f"{writer.name}: {run.requests} posts acknowledged, {new} are there")
        self._first += new
        return run

    def _settled(self) -> int:
        """The number of posts, when it has stopped to grow: servers still carry out the requests
        that wrk abandoned."""
        count = -1
        while count != (count := asyncio.run(self._fetch())):
            time.sleep(_SETTLED)
        return count

    async def _fetch(self) -> int:
        connection = await asyncpg.connect(self._url)
        try:
            count: int = await connection.fetchval("SELECT count(*) FROM posts")
            return count
        finally:
            await connection.close()


def measure(effort: Effort) -> Section:
    """Measure the monolith and the services beside the route."""
    with throwaway() as postgres, ExitStack() as stack:
        urls = create_databases(postgres)
        posts = _Posts(urls["posts"], fill_board(urls))
        monolith = stack.enter_context(running("monolith", urls))
        services = stack.enter_context(running("microservices", urls))
        peers = stack.enter_context(serving(monolith.servers["monolith"].url(), urls["posts"]))
        one, posts_service = monolith.servers["monolith"], services.servers["posts"]
        path = "/api/posts"
        insert = _Writer("insert", peers.url("/insert"), tree_cpu_seconds, peers.pid)
        ours = _Writer("monolith", one.url(path), tree_cpu_seconds, one.pid)
        beside = _Writer(
            "services", posts_service.url(path), lambda _: services.cpu_seconds(), one.pid
        )
        inserted, written = _in_turns(posts, (insert, ours), effort)
        wrong = []
        try:
            [by_services] = _in_turns(posts, (beside,), effort)
        except RuntimeError as error:
            # The figures of the monolith mean something without those of the services.
            by_services, wrong = [], [str(error)]
        wrong += [*monolith.errors(), *services.errors()]
    return Section(
        "Writes",
        "`POST /api/posts` with everything on, and a FastAPI route that only inserts the row, in"
        f" turns, loaded by `wrk` with {_CONNECTIONS} connections, {effort.seconds} s at a time."
        " CPU time is that of the servers with the processes that render Markdown, without that of"
        " PostgreSQL."
        " Clients send directly to the monolith or to the posts service, without the gateway.",
        (
            Figure(
                "`POST /api/posts`, monolith : a FastAPI route that inserts the row",
                tuple(
                    theirs.cpu_per_request / mine.cpu_per_request
                    for theirs, mine in zip(inserted, written, strict=True)
                ),
                floor=at_least(0.12),
                goal=at_least(0.5),
            ),
            *_costs("monolith", written),
            *_costs("services", by_services),
        ),
        wrong=tuple(wrong),
    )


def _in_turns(
    posts: _Posts, writers: Sequence[_Writer], effort: Effort
) -> Iterator[Sequence[LoadRun]]:
    """The runs of each writer, after one to warm up."""
    for writer in writers:
        posts.write(writer, 2)
    rounds = [
        [posts.write(writer, effort.seconds) for writer in writers] for _ in range(effort.pairs)
    ]
    yield from zip(*rounds, strict=True)


def _costs(name: str, runs: Sequence[LoadRun]) -> Iterator[Figure]:
    if runs:
        cpu = tuple(run.cpu_per_request * 1e6 for run in runs)
        yield Figure(f"`POST /api/posts`, {name}: CPU time of a request", cpu, "µs", digits=0)
        rates = tuple(run.rate for run in runs)
        yield Figure(f"`POST /api/posts`, {name}: posts", rates, "/s", digits=0)
