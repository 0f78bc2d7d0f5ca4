"""Compares a post's creation with a route that only inserts the row.

Everything is on: sessions, the limit of posts per user, Markdown, the word index, the thread's
count, notifications. Writers take turns. A run fails unless the database has as many new posts as
were acknowledged.
"""

import asyncio
import json
from collections.abc import Callable
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

_CONNECTIONS: Final = 16
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
        before = self._count()
        run = run_wrk(writer.pid, writer.url, seconds, _CONNECTIONS, script=script, cpu=writer.cpu)
        new = self._count() - before
        # Requests that wrk abandoned at the end may have been carried out.
        if not run.requests <= new <= run.requests + _CONNECTIONS:
            raise RuntimeError(f"{writer.name}: {run.requests} posts acknowledged, {new} are there")
        self._first += new
        return run

    def _count(self) -> int:
        return asyncio.run(self._fetch())

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
        writers = [
            _Writer("insert", peers.url("/insert"), tree_cpu_seconds, peers.pid),
            _Writer("monolith", one.url(path), tree_cpu_seconds, one.pid),
            _Writer("services", posts_service.url(path), lambda _: services.cpu_seconds(), one.pid),
        ]
        for writer in writers:
            posts.write(writer, 2)
        rounds = [
            {writer.name: posts.write(writer, effort.seconds) for writer in writers}
            for _ in range(effort.pairs)
        ]
        wrong = [*monolith.errors(), *services.errors()]
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
                    each["insert"].cpu_per_request / each["monolith"].cpu_per_request
                    for each in rounds
                ),
                floor=at_least(0.1),
                goal=at_least(0.5),
            ),
            *(
                Figure(
                    f"`POST /api/posts`, {name}: CPU time of a request",
                    tuple(each[name].cpu_per_request * 1e6 for each in rounds),
                    "µs",
                    digits=0,
                )
                for name in ("monolith", "services")
            ),
            *(
                Figure(
                    f"`POST /api/posts`, {name}: posts",
                    tuple(each[name].rate for each in rounds),
                    "/s",
                    digits=0,
                )
                for name in ("monolith", "services")
            ),
        ),
        wrong=tuple(wrong),
    )
