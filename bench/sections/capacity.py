"""Measures the gateway's memory with long streams and many idle clients, and the delay it adds.

One gateway process, with the options of `make run`, in front of a target in this process:

- how much its peak memory grows while a gibibyte goes to a slow reader, and as much is uploaded,
- its memory with 10,000 idle clients, and how long a new request takes beside them,
- the delay at 1,000 requests a second, through it and directly, in alternating pairs of 3 s.
"""

import asyncio
import contextlib
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final, cast

import uvloop

from bench.effort import Effort
from bench.figures import Figure, Section, at_most
from bench.programs import PATH, gateway, memory_mib
from laptop import ports

_PIECE: Final = b"x" * 65_536
_SMALL: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_SIZE: Final = 1 << 30
_CLIENTS: Final = 10_000
_RATE: Final = 1_000
_SECONDS: Final = 3.0


class Target(asyncio.Protocol):
    """Sends a long body for GET `.../down`, reads one for POST, and answers the rest with `ok`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._received = b""
        self._left = 0
        self._to_send = 0
        self._paused = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request; each connection sends them one after the other."""
        if self._left:
            self._take(len(data))
            return
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        self._received = b""
        if head.startswith(b"POST"):
            self._left = self._size
            self._take(len(rest))
        elif b"/down " in head.partition(b"\r\n")[0]:
            self._to_send = self._size
            self._write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self._size)
            self._send()
        else:
            self._write(_SMALL)

    def pause_writing(self) -> None:
        """Stop sending the long body: the client reads more slowly."""
        self._paused = True

    def resume_writing(self) -> None:
        """Continue to send the long body."""
        self._paused = False
        self._send()

    def _take(self, size: int) -> None:
        self._left -= size
        if not self._left:
            self._write(_SMALL)

    def _send(self) -> None:
        while self._to_send and not self._paused:
            piece = _PIECE[: self._to_send]
            self._to_send -= len(piece)
            self._write(piece)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a client's connection."""
    return await asyncio.open_connection("127.0.0.1", port, limit=4 * 65_536)


async def download(port: int, size: int) -> None:
    """Download `size` bytes, with a pause every 8 MiB, so that the sender is faster."""
    reader, writer = await connect(port)
    writer.write(f"GET {PATH}/down HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    left, since_pause = size, 0
    while left:
        got = len(await reader.read(len(_PIECE)))
        if not got:
            raise RuntimeError("the response ended early")
        left, since_pause = left - got, since_pause + got
        if since_pause > 8 * 1024 * 1024:
            since_pause = 0
            await asyncio.sleep(0.01)
    writer.close()


async def upload(port: int, size: int) -> None:
    """Upload `size` bytes as fast as they are accepted."""
    reader, writer = await connect(port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())
    left = size
    while left:
        piece = _PIECE[:left]
        left -= len(piece)
        writer.write(piece)
        await writer.drain()
    await reader.readuntil(b"\r\n\r\nok")
    writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
    """Send one small request. Returns how long it took, in seconds."""
    began = time.perf_counter()
    writer.write(f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\nok")
    return time.perf_counter() - began


async def delays(port: int, rate: int) -> list[float]:
    """The seconds that requests take that are due at fixed times, even if earlier ones are late.

    A delay is measured from the time at which the request was due.
    """
    connections = [await connect(port) for _ in range(16)]
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)
    took: list[float] = []

    async def one(due: float) -> None:
        connection = await free.get()
        await ask(*connection)
        took.append(time.perf_counter() - due)
        free.put_nowait(connection)

    began = time.perf_counter()
    tasks: list[asyncio.Task[None]] = []
    for number in range(int(rate * _SECONDS)):
        due = began + number / rate
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    for _, writer in connections:
        writer.close()
    return took


def measure(effort: Effort) -> Section:
    """Measure everything."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return Section(
        "The gateway's capacity",
        f"One gateway process. {_SIZE >> 20} MiB are downloaded by a slow reader, and as many"
        f" uploaded; {_CLIENTS:,} clients are idle; {_RATE:,} requests a second are due at fixed"
        f" times, {_SECONDS:.0f} s through the gateway and directly, in turns.",
        tuple(uvloop.run(_measure(effort))),
    )


async def _measure(effort: Effort) -> list[Figure]:
    loop = asyncio.get_running_loop()
    [port, gateway_port] = ports.free(2)
    server = await loop.create_server(lambda: Target(_SIZE), "127.0.0.1", port, backlog=1024)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        begun = gateway(Path(folder), gateway_port, port)
        # In a thread: it waits for a response, which this loop has to send.
        proxy = await loop.run_in_executor(None, stack.enter_context, begun)
        figures = [
            await _streams(proxy.port, proxy.pid),
            *await _added_delay(proxy.port, port, effort.pairs),
            *await _idle_clients(proxy.port, proxy.pid),
        ]
    server.close()
    return figures


async def _streams(port: int, pid: int) -> Figure:
    for _ in range(50):
        reader, writer = await connect(port)
        await ask(reader, writer)
        writer.close()
    before = memory_mib(pid, "VmHWM")
    await download(port, _SIZE)
    await upload(port, _SIZE)
    grown = memory_mib(pid, "VmHWM") - before
    limit = at_most(16)
    what = f"growth of peak memory, {_SIZE >> 20} MiB down and up"
    return Figure(what, (grown,), "MiB", limit, limit, digits=1)


async def _added_delay(port: int, direct: int, pairs: int) -> list[Figure]:
    medians: list[float] = []
    tails: list[float] = []
    for pair in range(pairs + 1):
        ours, theirs = await delays(port, _RATE), await delays(direct, _RATE)
        if pair:  # the first pair is a warm-up
            medians.append((statistics.median(ours) - statistics.median(theirs)) * 1000)
            tails.append((_p99(ours) - _p99(theirs)) * 1000)
    what = f"delay that the gateway adds at {_RATE:,} requests/s"
    median, tail = at_most(0.5), at_most(3)
    return [
        Figure(f"{what}, median", tuple(medians), "ms", median, median),
        Figure(f"{what}, p99", tuple(tails), "ms", tail, tail),
    ]


async def _idle_clients(port: int, pid: int) -> list[Figure]:
    reader, writer = await connect(port)
    alone = statistics.median([await ask(reader, writer) for _ in range(200)])
    idle = [await connect(port) for _ in range(_CLIENTS)]
    beside = statistics.median([await ask(reader, writer) for _ in range(200)])
    memory = memory_mib(pid)
    for _, other in idle:
        other.close()
    limit = at_most(150)
    return [
        Figure(f"memory with {_CLIENTS:,} idle clients", (memory,), "MiB", limit, limit, digits=0),
        Figure(
            f"a request beside them : a request without them, {alone * 1000:.2f} ms",
            (beside / alone,),
        ),
    ]


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]
