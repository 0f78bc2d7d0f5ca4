"""The watched event loop reports callbacks that use processor time, and not those that wait."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from tests.watched_loop import WatchedLoop

THRESHOLD = 0.02


def busy() -> None:
    """Take more processor time than the threshold."""
    began = time.thread_time()
    while time.thread_time() - began < 2 * THRESHOLD:
        pass


async def in_a_task() -> None:
    await asyncio.sleep(0)
    busy()


async def in_a_timer() -> None:
    done = asyncio.Event()

    def finish() -> None:
        busy()
        done.set()

    asyncio.get_running_loop().call_later(0.001, finish)
    await done.wait()


async def in_a_reader() -> None:
    class Protocol(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:  # noqa: ARG002 - the name of asyncio
            busy()
            received.set_result(None)

    loop = asyncio.get_running_loop()
    received = loop.create_future()
    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"a")
    await received
    writer.close()
    server.close()
    await server.wait_closed()


async def in_a_thread() -> None:
    await asyncio.to_thread(busy)


@pytest.mark.parametrize(
    ("work", "reported"),
    [(in_a_task, 1), (in_a_timer, 1), (in_a_reader, 1), (in_a_thread, 0)],
)
def test_callback_that_takes_processor_time_is_reported(
    work: Callable[[], Coroutine[Any, Any, None]], reported: int
) -> None:
    reports: list[float] = []
    loop = partial(WatchedLoop, lambda seconds, _: reports.append(seconds), THRESHOLD)
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work())
    assert len([seconds for seconds in reports if seconds >= 2 * THRESHOLD]) == reported
