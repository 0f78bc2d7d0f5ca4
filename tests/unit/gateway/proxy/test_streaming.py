"""Bodies are streamed: a slow reader slows the sender, and nothing accumulates between them."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.unit.gateway.support import Bench, Visit, until, until_it_stands_still

_PIECE = b"x" * 65_536


async def test_the_first_bytes_arrive_before_the_last_are_sent(bench: Bench) -> None:
    more = asyncio.Event()

    async def script(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await more.wait()
        visit.send(b"4\r\nlast\r\n0\r\n\r\n")

    client = await bench.client(await bench.gateway(await bench.target(script)))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(20):
        await client.reader.readuntil(b"5\r\nfirst\r\n")
        more.set()
        assert await client.reader.readuntil(b"0\r\n\r\n") == b"4\r\nlast\r\n0\r\n\r\n"


async def test_response_begins_before_the_request_has_ended(bench: Bench) -> None:
    async def echo(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        for _ in range(2):
            visit.send(await visit.reader.readexactly(3))

    target = await bench.target(echo)
    gateway = await bench.gateway(target)
    for _ in range(2):
        client = await bench.client(gateway)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        async with asyncio.timeout(20):
            assert (await client.reader.readuntil(b"abc")).startswith(b"HTTP/1.1 200 OK\r\n")
            client.send(b"def")
            assert await client.reader.readexactly(3) == b"def"
    assert target.connections == 1


async def test_client_that_does_not_read_pauses_the_target(bench: Bench) -> None:
    sent = 0

    async def endless(visit: Visit) -> None:
        nonlocal sent
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            visit.send(_PIECE)
            sent += len(_PIECE)
            await visit.writer.drain()

    client = await bench.client(await bench.gateway(await bench.target(endless)))
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # StreamWriter hides it
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await until_it_stands_still(lambda: sent)
    assert sent < 64 * 1024 * 1024


async def test_target_that_does_not_read_pauses_the_client(bench: Bench) -> None:
    async def deaf(visit: Visit) -> None:
        visit.writer.transport.pause_reading()  # type: ignore[attr-defined]  # likewise
        await asyncio.Event().wait()

    target = await bench.target(deaf)
    client = await bench.client(await bench.gateway(target))
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
    await until(lambda: target.visits)
    sent = 0

    async def endless() -> None:
        nonlocal sent
        while True:
            client.send(_PIECE)
            sent += len(_PIECE)
            await client.writer.drain()

    sending = asyncio.create_task(endless())
    await until_it_stands_still(lambda: sent)
    sending.cancel()
    assert 0 < sent < 64 * 1024 * 1024


async def test_unread_answers_do_not_accumulate(bench: Bench) -> None:
    client = await bench.client(await bench.gateway(await bench.target()))
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # likewise
    sent = 0

    async def endless() -> None:
        nonlocal sent
        while True:
            client.send(b"GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
            sent += 1000
            await client.writer.drain()

    sending = asyncio.create_task(endless())
    await until_it_stands_still(lambda: sent)
    sending.cancel()
    answered = len(await bench.logged())
    assert 0 < answered < sent


def test_memory_stays_bounded_for_256_mib_each_way_with_slow_readers() -> None:
    """Runs the gateway alone in a process, so that its peak memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.gateway.stream_through"],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        cwd=Path(__file__).parents[4],
    )
    assert done.returncode == 0, done.stderr
    grown = {name: int(size) for name, size in (line.split() for line in done.stdout.splitlines())}
    assert grown.keys() == {"download", "upload"}
    assert all(size < 16 * 1024 for size in grown.values()), f"KiB: {grown}"
