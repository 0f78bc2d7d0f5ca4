"""How long another instance may still serve a stored response that a write has changed."""

import asyncio
import json
import time
from typing import Final

import uvloop

from bench.board import create_databases, running
from bench.content import Content, fill_board
from bench.effort import Effort
from bench.figures import Figure, Section, at_most
from bench.load.mix import post_request, read_request
from bench.load.open_loop import quantile
from laptop.postgres.throwaway import throwaway

_WRITES: Final = 300
_PATIENCE: Final = 5.0


class Connection:
    """A connection that sends one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect to a server on this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def send(self, data: bytes) -> tuple[int, bytes]:
        """Send a request. Returns the status and the body of its response."""
        self._writer.write(data)
        head = await self._reader.readuntil(b"\r\n\r\n")
        [length] = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


def measure(effort: Effort) -> Section:
    """Write on one of two monoliths, and read on the other until it shows the write."""
    figures = []
    with throwaway() as postgres:
        urls = create_databases(postgres)
        content = fill_board(urls)
        with running("monolith", urls) as one, running("monolith", urls) as other:
            runs = [
                uvloop.run(_delays(one.port, other.port, content, number * _WRITES))
                for number in range(effort.pairs)
            ]
            wrong = [*one.errors(), *other.errors()]
    for part, name, floor in ((0.99, "p99", at_most(100)), (0.5, "median", None)):
        figures.append(
            Figure(
                f"until another instance shows a write, {name}",
                tuple(quantile(run, part) * 1000 for run in runs),
                "ms",
                floor=floor,
                goal=floor,
                digits=1,
            )
        )
    return Section(
        "Visibility of writes",
        "Two monoliths on one database. A thread's page is in the cache of one of them; a post is"
        f" written on the other; the time counts from its acknowledgement. {_WRITES} writes a run.",
        tuple(figures),
        wrong=tuple(wrong),
    )


async def _delays(here: int, there: int, content: Content, first: int) -> list[float]:
    writing, reading = await Connection.open(here), await Connection.open(there)
    # The first thread is too long for one page.
    threads = content.threads[1:]
    found = []
    for number in range(first, first + _WRITES):
        token = content.tokens[number % len(content.tokens)]
        found.append(await _delay(writing, reading, threads[number % len(threads)], token))
    writing.close()
    reading.close()
    return found


async def _delay(writing: Connection, reading: Connection, thread: int, token: str) -> float:
    page = read_request(f"/api/posts/in-thread/{thread}?limit=100")
    for _ in range(2):  # the second is from the cache
        await reading.send(page)
    status, body = await writing.send(post_request(token, thread, "Is the water *warm*?"))
    if status != 201:
        raise RuntimeError(f"a post was answered with {status}: {body.decode(errors='replace')}")
    acknowledged, new = time.perf_counter(), json.loads(body)["id"]
    while time.perf_counter() - acknowledged < _PATIENCE:
        _, shown = await reading.send(page)
        if b'{"id":%d,' % new in shown:
            return time.perf_counter() - acknowledged
    raise RuntimeError(f"another instance does not show a post after {_PATIENCE:.0f} s")
