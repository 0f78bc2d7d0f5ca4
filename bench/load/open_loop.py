"""Sends requests at the times of a plan, whatever became of earlier ones, and measures latencies.

A request's latency counts from the time at which the plan has it, not from when it was sent: if the
server is slow, or this client, requests wait, and that shows. A client that waited for responses
before it sent the next request would measure a slow server as faster than it is.

There is no task and no coroutine for a request, and the client wakes at most once a millisecond,
so that it takes little CPU time of the machine that it measures: about 20 µs a request. A `Window`
says how much, and how late requests were sent.
"""

import asyncio
import gc
import json
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

MOST_CONNECTIONS: Final = 256
"""Requests that find no connection free wait for one, which counts as their latency."""

DRAIN_SECONDS: Final = 10.0
"""How long after the last request was due responses are waited for."""

_SHORTEST_WAIT: Final = 0.001
_REFUSALS: Final = frozenset({502, 503, 504})
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """The bytes of a request, and what its response must be: `check` returns what is wrong with a
    status and a body, or None."""

    kind: str
    data: bytes
    check: Callable[[int, bytes], str | None]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that is due `after` seconds from the beginning."""

    after: float
    request: Request


@dataclass
class Window:
    """What became of the requests of a plan.

    `latencies` has the seconds of each correct response, by kind of request. `refusals` counts by
    reason what a server that has too much to do may answer (502, 503, 504, or nothing in time),
    `failures` what it must never do. `lateness` is how many seconds after its time the client came
    to send each request, `client_cpu` the CPU seconds that the client used, and `seconds` how long
    it took.
    """

    sent: int = 0
    seconds: float = 0.0
    client_cpu: float = 0.0
    latencies: dict[str, list[float]] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    lateness: list[float] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """The number of requests without a correct response."""
        return self.failures.total() + self.refusals.total()

    def quantile(self, part: float) -> float:
        """The latency in seconds that this part of the correct responses did not exceed; infinite
        if there is none."""
        return quantile([each for kind in self.latencies.values() for each in kind], part)


def quantile(values: Sequence[float], part: float) -> float:
    """The value that this part of the values does not exceed; infinite if there are none."""
    if not values:
        return float("inf")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def describe(status: int, body: bytes) -> str:
    """A status, and the sentence of a problem: without what differs from request to request."""
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = ""
    return f"{status} {detail}".strip()


async def run(
    port: int,
    plan: Sequence[Arrival],
    connections: int = 32,
    most: int = MOST_CONNECTIONS,
    drain_seconds: float = DRAIN_SECONDS,
) -> Window:
    """Send the requests of a plan, in the order of their times, to this port of 127.0.0.1.

    So many `connections` are opened before the first request is due, and others when needed.
    Requests without a response `drain_seconds` after the last one was due count as failed. Raises
    `OSError` if nothing listens.
    """
    load = _OpenLoop(port, plan, most, drain_seconds)
    await load.open(connections)
    # A collection would pause the client, and be measured as the server's latency.
    gc.collect()
    gc.disable()
    try:
        return await load.run()
    finally:
        gc.enable()
        load.close()


class _OpenLoop:
    def __init__(self, port: int, plan: Sequence[Arrival], most: int, drain_seconds: float) -> None:
        self._port = port
        self._plan = plan
        self._most = most
        self._drain_seconds = drain_seconds
        self._next = 0
        self._began = 0.0
        self._free: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[Arrival] = deque()
        self._unanswered = len(plan)
        self._ended = asyncio.Event()
        self._closed = False
        self._window = Window()
        self._loop = asyncio.get_running_loop()

    async def open(self, connections: int) -> None:
        await asyncio.gather(*(self._connect() for _ in range(connections)))

    async def run(self) -> Window:
        cpu, self._began = time.process_time(), time.perf_counter()
        self._tick()
        last = self._plan[-1].after if self._plan else 0.0
        try:
            async with asyncio.timeout(last + self._drain_seconds):
                if self._plan:
                    await self._ended.wait()
        except TimeoutError:
            self._window.refusals["no response in time"] += self._unanswered
        self._window.client_cpu = time.process_time() - cpu
        self._window.seconds = time.perf_counter() - self._began
        return self._window

    def close(self) -> None:
        self._closed = True
        for task in self._opening:
            task.cancel()
        for connection in self._all:
            connection.close()

    def _tick(self) -> None:
        """Send what is due, and come back when the next request is."""
        now = time.perf_counter() - self._began
        while self._next < len(self._plan) and self._plan[self._next].after <= now:
            arrival = self._plan[self._next]
            self._next += 1
            self._window.sent += 1
            self._window.lateness.append(now - arrival.after)
            self._send(arrival)
        if self._next < len(self._plan):
            # uvloop's timers count whole milliseconds: with less, it would not sleep at all, and
            # use a core that the server needs.
            wait = max(self._plan[self._next].after - now, _SHORTEST_WAIT)
            self._loop.call_later(wait, self._tick)

    def _send(self, arrival: Arrival) -> None:
        if self._free:
            self._free.pop().send(arrival)
            return
        self._waiting.append(arrival)
        if len(self._all) + len(self._opening) < self._most:
            task = self._loop.create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def _opened(self, task: "asyncio.Task[None]") -> None:
        self._opening.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            while self._waiting and not self._all:
                self._waiting.popleft()
                self._fail(f"cannot connect: {error}")

    async def _connect(self) -> None:
        _, connection = await self._loop.create_connection(
            lambda: _Connection(self), "127.0.0.1", self._port
        )
        self._all.add(connection)
        self.released(connection)

    def released(self, connection: "_Connection") -> None:
        """A connection is free for the next request."""
        if self._waiting:
            connection.send(self._waiting.popleft())
        else:
            self._free.append(connection)

    def answered(self, arrival: Arrival, status: int, body: bytes) -> None:
        """A response is complete."""
        latency = time.perf_counter() - self._began - arrival.after
        request = arrival.request
        if status in _REFUSALS:
            self._window.refusals[f"{request.kind}: {describe(status, body)}"] += 1
        elif (wrong := request.check(status, body)) is not None:
            self._window.failures[f"{request.kind}: {wrong}"] += 1
        else:
            self._window.latencies.setdefault(request.kind, []).append(latency)
        self._count()

    def lost(self, connection: "_Connection", arrival: Arrival | None) -> None:
        """A connection has ended, with or without a request in progress."""
        self._all.discard(connection)
        if self._closed:
            return
        if connection in self._free:
            self._free.remove(connection)
        if arrival is not None:
            self._fail(f"{arrival.request.kind}: the connection was closed")
        if self._waiting and not self._all:
            self._send(self._waiting.popleft())

    def _fail(self, why: str) -> None:
        self._window.failures[why] += 1
        self._count()

    def _count(self) -> None:
        self._unanswered -= 1
        if not self._unanswered:
            self._ended.set()


class _Connection(asyncio.Protocol):
    """One connection, with at most one request in progress. Reads responses with a length, which
    all of the board's have, except those that have no body."""

    def __init__(self, load: _OpenLoop) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._arrival: Arrival | None = None
        self._received: list[bytes] = []
        self._have = 0
        self._need = 0
        self._body_at = 0

    def send(self, arrival: Arrival) -> None:
        assert self._transport is not None  # noqa: S101 - only connected ones are free
        self._arrival = arrival
        self._transport.write(arrival.request.data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio passes it
        arrival, self._arrival = self._arrival, None
        self._load.lost(self, arrival)

    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        self._have += len(data)
        if not self._need:
            self._read_head()
        if not self._need or self._have < self._need or self._arrival is None:
            return
        whole = self._received[0] if len(self._received) == 1 else b"".join(self._received)
        arrival, self._arrival = self._arrival, None
        status, body = int(whole[9:12]), whole[self._body_at :]
        self._received = []
        self._have = self._need = 0
        self._load.answered(arrival, status, body)
        self._load.released(self)

    def _read_head(self) -> None:
        data = b"".join(self._received)
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(data, 0, end + 2)
        self._body_at = end + 4
        self._need = self._body_at + (int(length[1]) if length else 0)
