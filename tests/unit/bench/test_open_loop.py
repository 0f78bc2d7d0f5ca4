"""The open-loop client sends on schedule, whatever the server does, and counts what is wrong."""

import asyncio

import pytest

from bench.load import open_loop
from bench.load.open_loop import Arrival, Request, quantile
from tests.unit.bench.servers import server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


def fine(status: int, body: bytes) -> str | None:
    return None if (status, body) == (200, b"fine") else f"{status} {body.decode()}".strip()


def request(name: str = "a") -> Request:
    return Request("read", f"GET /{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), fine)


async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


async def test_requests_do_not_wait_for_earlier_responses() -> None:
    """The first request is answered only after the second, which is due later, has arrived."""
    second = asyncio.Event()

    async def respond(path: bytes, writer: asyncio.StreamWriter) -> None:
        if path == b"/first":
            await second.wait()
        else:
            second.set()
        writer.write(OK)

    plan = [Arrival(0.0, request("first")), Arrival(0.2, request("second"))]
    async with server(respond) as port:
        window = await open_loop.run(port, plan, connections=1)
    assert (window.sent, window.failed) == (2, 0)
    assert max(window.latencies["read"]) >= 0.2, "the time in which it waited counts"


async def test_latency_counts_from_the_time_of_the_plan() -> None:
    """With one connection, the second request waits for it, and that is part of its latency."""
    arrived: list[bytes] = []

    async def respond(path: bytes, writer: asyncio.StreamWriter) -> None:
        arrived.append(path)
        delay = 0.3 if path == b"/first" else 0
        asyncio.get_running_loop().call_later(delay, writer.write, OK)

    plan = [Arrival(0.0, request("first")), Arrival(0.01, request("second"))]
    async with server(respond) as port:
        window = await open_loop.run(port, plan, connections=1, most=1)
    assert arrived == [b"/first", b"/second"]
    assert min(window.latencies["read"]) >= 0.28


async def test_response_in_pieces_is_read_whole() -> None:
    async def respond(_: bytes, writer: asyncio.StreamWriter) -> None:
        for at in range(0, len(OK), 7):
            writer.write(OK[at : at + 7])
            await writer.drain()
            await asyncio.sleep(0)

    async with server(respond) as port:
        window = await open_loop.run(port, [Arrival(0.0, request()) for _ in range(20)])
    assert len(window.latencies["read"]) == 20
    assert window.failed == 0


async def test_wrong_responses_are_failures_and_have_no_latency() -> None:
    async def respond(path: bytes, writer: asyncio.StreamWriter) -> None:
        if path == b"/busy":
            body = b'{"detail": "Try again.", "requestId": "a"}'
            head = b"HTTP/1.1 503 Busy\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % len(body) + body)
        elif path == b"/broken":
            writer.write(b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n")
        elif path == b"/other":
            writer.write(OK.replace(b"fine", b"else"))
        elif path == b"/closed":
            writer.close()
        else:
            writer.write(OK)

    plan = [Arrival(0.0, request(name)) for name in ("busy", "broken", "other", "closed", "good")]
    async with server(respond) as port:
        window = await open_loop.run(port, plan)
    assert window.refusals == {"read: 503 Try again.": 1}
    assert window.failed == 4
    assert window.failures == {
        "read: 500": 1,
        "read: 200 else": 1,
        "read: the connection was closed": 1,
    }
    assert len(window.latencies["read"]) == 1


async def test_requests_without_a_response_fail() -> None:
    async def respond(path: bytes, writer: asyncio.StreamWriter) -> None:
        if path == b"/good":
            writer.write(OK)

    plan = [Arrival(0.0, request(name)) for name in ("good", "silent", "silent")]
    async with server(respond) as port:
        window = await open_loop.run(port, plan, drain_seconds=0.1)
    assert window.refusals["no response in time"] >= 2
    assert window.sent == 3


async def test_load_without_a_server_is_refused() -> None:
    async with server(answer) as port:
        pass
    with pytest.raises(OSError, match="Connect"):
        await open_loop.run(port, [Arrival(0.0, request())])


async def test_window_says_what_the_client_cost() -> None:
    plan = [Arrival(number / 1000, request()) for number in range(100)]
    async with server(answer) as port:
        window = await open_loop.run(port, plan)
    assert window.client_cpu > 0
    assert len(window.lateness) == 100
    assert min(window.lateness) >= 0


def test_quantile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(100)]
    assert quantile(values, 0.99) == 99.0
    assert quantile(values, 0.5) == 50.0
    assert quantile([1.0], 0.99) == 1.0
    assert quantile([], 0.5) == float("inf")
