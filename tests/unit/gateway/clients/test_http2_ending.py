"""An HTTP/2 connection ends only after all of its answers."""

import asyncio

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from gateway.net.timeouts import Timeouts
from tests.unit.gateway.browser import Browser, Front
from tests.unit.gateway.support import Visit, until

LARGE = b"x" * 300_000
"""More than a window, so that the client must send more while it is answered."""


class Gate:
    """A target that answers when the test releases it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.body = LARGE

    async def script(self, visit: Visit) -> None:
        await self.open.wait()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body) + self.body)


async def in_flight(front: Front, gate: Gate, timeouts: Timeouts) -> tuple[Browser, list[int]]:
    """A client with two requests at a target that has not answered yet."""
    target = await front.bench.target(gate.script)
    await front.start(timeouts)
    browser = await front.browser()
    numbers = [browser.ask("/a"), browser.ask("/b")]
    await until(lambda: len(target.visits) == 2)
    return browser, numbers


async def has_all(browser: Browser, numbers: list[int], body: bytes) -> None:
    for number in numbers:
        reply = await browser.reply(number)
        assert (reply.reset, reply.status, len(reply.body)) == (None, 200, len(body))


async def test_requests_in_flight_are_answered_after_goaway_by_count(front: Front) -> None:
    gate = Gate()
    browser, numbers = await in_flight(front, gate, Timeouts(client_requests=4, tick=0.02))
    fixed = [browser.ask("/fixed", flush=False) for _ in range(3)]
    browser.flush()
    await has_all(browser, fixed[:2], b"fixed")
    assert (await browser.reply(fixed[2])).reset == ErrorCodes.REFUSED_STREAM
    await until(lambda: browser.terminated == ErrorCodes.NO_ERROR)
    assert browser.last_stream == fixed[1]
    gate.open.set()
    await has_all(browser, numbers, LARGE)


async def ends_with_every_answer(
    browser: Browser, gate: Gate, fixed: list[int], numbers: list[int]
) -> None:
    """GOAWAY comes after immediate answers, and before those of requests in flight."""
    await has_all(browser, fixed, b"fixed")
    await until(lambda: browser.terminated == ErrorCodes.NO_ERROR)
    gate.open.set()
    await has_all(browser, numbers, LARGE)


async def test_requests_in_flight_are_answered_after_goaway_by_age(front: Front) -> None:
    gate = Gate()
    browser, numbers = await in_flight(front, gate, Timeouts(client_keep_alive=0, tick=0.02))
    fixed = [browser.ask("/fixed", flush=False) for _ in range(3)]
    browser.flush()
    await ends_with_every_answer(browser, gate, fixed, numbers)


async def test_requests_in_flight_are_answered_after_goaway_by_a_drain(front: Front) -> None:
    gate = Gate()
    browser, numbers = await in_flight(front, gate, Timeouts(linger=0.1, tick=0.02))
    assert front.gateway is not None
    draining = asyncio.create_task(front.gateway.drain(5))
    await asyncio.sleep(0)
    fixed = [browser.ask("/fixed", flush=False) for _ in range(3)]
    browser.flush()
    await ends_with_every_answer(browser, gate, fixed, numbers)
    assert await draining


async def test_a_request_after_goaway_is_refused_and_reaches_no_target(front: Front) -> None:
    gate = Gate()
    browser, numbers = await in_flight(front, gate, Timeouts(client_keep_alive=0, tick=0.02))
    await browser.reply(browser.ask("/fixed"))
    await until(lambda: browser.terminated == ErrorCodes.NO_ERROR)
    late = browser.ask("/late")
    assert (await browser.reply(late)).reset == ErrorCodes.REFUSED_STREAM
    gate.open.set()
    await has_all(browser, numbers, LARGE)
    assert len(front.bench.targets[0].visits) == 2


@pytest.mark.parametrize("path", ["/fixed", "/forwarded"])
async def test_last_request_before_goaway_by_count_is_answered(front: Front, path: str) -> None:
    assert Timeouts().client_requests == 10_000
    await front.bench.target()
    await front.start(Timeouts(client_requests=3, linger=0.1, tick=0.02))
    browser = await front.browser()
    for count in range(3):
        assert browser.terminated is None, count
        assert (await browser.reply(browser.ask(path))).status == 200
    await until(lambda: browser.terminated == ErrorCodes.NO_ERROR and browser.closed)
    assert (await (another := await front.browser()).reply(another.ask(path))).status == 200


async def test_http_2_connection_stays_open_until_the_client_has_read_its_answer(
    front: Front,
) -> None:
    gate = Gate()
    gate.open.set()
    gate.body = b"x" * 3_000_000
    await front.bench.target(gate.script)
    await front.start(Timeouts(client_requests=1, linger=0, tick=0.02))
    browser = await front.browser()
    browser.h2.increment_flow_control_window(10_000_000)
    browser.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10_000_000})
    number = browser.ask()
    await until(lambda: browser.replies[number].body)
    browser.reading.clear()
    assert front.gateway is not None
    clients = front.gateway.plane.clients
    await until(lambda: not clients or all(client.idle for client in clients))
    for _ in range(5):
        # A closed connection would answer this with a reset.
        browser.h2.increment_flow_control_window(1)
        browser.flush()
        await asyncio.sleep(0.02)
    browser.reading.set()
    await has_all(browser, [number], gate.body)
    await until(lambda: browser.closed)


async def test_client_that_sends_goaway_still_gets_its_answers(front: Front) -> None:
    gate = Gate()
    browser, numbers = await in_flight(front, gate, Timeouts(tick=0.02))
    upload = browser.ask("/upload", method="POST", end=False)
    goaway = b"\0\0\x08\x07\0\0\0\0\0" + bytes(8)
    browser.h2.ping(b"12345678")
    browser.send(goaway + browser.h2.data_to_send())
    await browser.send_body(upload, b"abc")
    gate.open.set()
    await has_all(browser, [*numbers, upload], LARGE)


async def test_unresponsive_http_2_client_does_not_delay_a_drain(front: Front) -> None:
    gate = Gate()
    browser, numbers = await in_flight(front, gate, Timeouts(idle=0.4, linger=0.1, tick=0.02))
    browser.reading.clear()
    assert front.gateway is not None
    draining = asyncio.create_task(front.gateway.drain(4))
    await asyncio.sleep(0)
    gate.open.set()
    assert await draining
    assert not browser.replies[numbers[0]].ended


async def test_drain_sends_goaway_to_an_idle_connection(front: Front) -> None:
    await front.bench.target()
    await front.start(Timeouts(linger=0.1, tick=0.02))
    browser = await front.browser()
    assert (await browser.reply(browser.ask())).status == 200
    assert front.gateway is not None
    assert await front.gateway.drain(4)
    await until(lambda: browser.terminated == ErrorCodes.NO_ERROR and browser.closed)
