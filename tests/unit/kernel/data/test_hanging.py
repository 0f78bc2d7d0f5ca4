"""When a database counts as hanging, and what happens then."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from kernel.data.hanging import HangDetector
from tests.eventually import eventually

PATIENCE = 0.04


class FakeConnection:
    """A connection that only remembers whether it was closed."""

    closed = False

    def terminate(self) -> None:
        """Close it."""
        self.closed = True


class FakeServer:
    """A server that does not answer until it is released."""

    def __init__(self) -> None:
        self.asked = 0
        self.released = asyncio.Event()
        self.on_ask: Callable[[], None] = lambda: None

    async def ask(self) -> bool:
        """Wait for an answer."""
        self.asked += 1
        self.on_ask()
        await self.released.wait()
        return True


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true."""

    async def ask() -> bool:
        return condition()

    await eventually(ask)


@pytest.fixture
async def server() -> FakeServer:
    """A server that hangs."""
    return FakeServer()


@pytest.fixture
async def detector(server: FakeServer) -> AsyncIterator[HangDetector]:
    """The detector of that server."""
    made = HangDetector(server.ask, PATIENCE)
    yield made
    await made.close()


async def test_connections_in_use_are_closed_if_nothing_is_answered(
    detector: HangDetector,
) -> None:
    used = [FakeConnection(), FakeConnection()]
    for connection in used:
        detector.begin(connection)
    await until(lambda: detector.hangs)
    assert all(connection.closed for connection in used)


async def test_waits_for_a_connection_end_when_the_server_hangs(detector: HangDetector) -> None:
    with pytest.raises(TimeoutError):
        async with detector.waiting(3600):
            await asyncio.Event().wait()
    assert detector.hangs


async def test_slow_statement_is_left_alone_if_the_server_answers(
    detector: HangDetector, server: FakeServer
) -> None:
    server.released.set()
    slow = FakeConnection()
    detector.begin(slow)
    await until(lambda: server.asked > 2)
    assert not slow.closed
    assert not detector.hangs


async def test_slow_statement_is_left_alone_if_others_are_answered(
    detector: HangDetector, server: FakeServer
) -> None:
    def another_statement_is_answered() -> None:
        other = FakeConnection()
        detector.begin(other)
        detector.end(other, answered=True)

    server.on_ask = another_statement_is_answered
    slow = FakeConnection()
    detector.begin(slow)
    await until(lambda: server.asked > 2)
    assert not slow.closed


async def test_statements_that_failed_are_no_answers(
    detector: HangDetector, server: FakeServer
) -> None:
    def another_statement_fails() -> None:
        other = FakeConnection()
        detector.begin(other)
        detector.end(other, answered=False)

    server.on_ask = another_statement_fails
    detector.begin(FakeConnection())
    await until(lambda: detector.hangs)


async def test_hang_ends_with_an_answer(detector: HangDetector, server: FakeServer) -> None:
    detector.begin(used := FakeConnection())
    await until(lambda: detector.hangs)
    detector.end(used, answered=False)
    server.released.set()
    await until(lambda: not detector.hangs)


async def test_idle_server_is_never_asked(detector: HangDetector, server: FakeServer) -> None:
    for _ in range(3):
        detector.begin(used := FakeConnection())
        detector.end(used, answered=True)
    busy = HangDetector(server.ask, PATIENCE)
    busy.begin(FakeConnection())
    await until(lambda: busy.hangs)
    await busy.close()
    assert not detector.hangs
    assert server.asked == 1, "only the server of the busy one was asked"
