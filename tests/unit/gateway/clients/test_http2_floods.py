"""HTTP/2 clients that send endlessly and do not read the answers."""

import asyncio

import pytest
from h2.errors import ErrorCodes

from gateway.net.timeouts import Timeouts
from tests.unit.gateway.browser import Browser, Front
from tests.unit.gateway.support import OK, Visit, until

MOST = 4_000_000
"""Bytes; far more than two sockets' buffers."""
FRAMES = {
    "PING": b"\0\0\x08\x06\0\0\0\0\0flooding",
    "SETTINGS": b"\0\0\0\x04\0\0\0\0\0",
}
"""Frames that each need an answer."""


async def flood(browser: Browser, frame: bytes) -> int:
    """Sends without reading until nothing more is accepted or the connection has ended. Returns the
    number of accepted bytes."""
    browser.reading.clear()
    data = frame * (20_000 // len(frame))
    sent, before, still = 0, -1, 0
    # One turn of the event loop is enough for the gateway to read something, however slow it is.
    while still < 100 and sent < MOST and not browser.ending:
        still = still + 1 if browser.unsent == before else 0
        before = browser.unsent
        if before < 100_000:
            browser.send(data)
            sent += len(data)
            still = 0
        await asyncio.sleep(0.002)
    return sent - browser.unsent


@pytest.mark.parametrize("kind", FRAMES)
async def test_gateway_stops_reading_from_a_client_that_does_not_read(
    front: Front, kind: str
) -> None:
    await front.bench.target()
    browser = await front.browser(little_between=True)
    assert (await browser.reply(browser.ask())).body == b"ok"
    assert await flood(browser, FRAMES[kind]) < MOST
    browser.reading.set()
    number = browser.ask()
    # Everything that was accepted arrives before it.
    await until(lambda: browser.replies[number].ended, within=30)
    assert browser.replies[number].body == b"ok"


IGNORED = {
    "DATA of a stream that is over": b"\0\0\0\0\0\0\0\0\x01",
    "a window update of such a stream": b"\0\0\x04\x08\0\0\0\0\x01\0\0\0\x01",
}


@pytest.mark.parametrize("kind", IGNORED)
async def test_frames_that_need_no_answer_are_dropped_without_one(front: Front, kind: str) -> None:
    await front.bench.target()
    browser = await front.browser(little_between=True)
    assert (await browser.reply(browser.ask())).body == b"ok"
    received = browser.received
    assert await flood(browser, IGNORED[kind]) >= MOST
    browser.reading.set()
    assert (await browser.reply(browser.ask())).body == b"ok"
    assert browser.received - received < 1_000


@pytest.mark.parametrize(
    "frame",
    [b"\0\0\x04\x77\0\0\0\0\x01what", b"\0\0\0\x01\0\0\0\0\x03" + b"\0\0\0\x09\0\0\0\0\x03" * 99],
    ids=["frames of an unknown kind", "continuations without end"],
)
async def test_too_many_useless_frames_end_the_connection(front: Front, frame: bytes) -> None:
    await front.bench.target()
    browser = await front.browser()
    assert (await browser.reply(browser.ask())).body == b"ok"
    await flood(browser, frame)
    browser.reading.set()
    await until(lambda: browser.closed)


async def test_client_that_never_reads_is_disconnected(front: Front) -> None:
    await front.bench.target()
    await front.start(Timeouts(idle=0.3, linger=0.1, tick=0.02))
    browser = await front.browser(little_between=True)
    await flood(browser, FRAMES["PING"])
    gateway = front.gateway
    assert gateway is not None
    await until(lambda: not gateway.open_clients)


async def test_client_that_never_reads_does_not_delay_a_drain(front: Front) -> None:
    await front.bench.target()
    await front.start(Timeouts(idle=0.8, linger=0.1, tick=0.02))
    browser = await front.browser(little_between=True)
    await flood(browser, FRAMES["PING"])
    assert front.gateway is not None
    assert await front.gateway.drain(5)


async def test_client_that_reads_late_completes_its_upload_and_answer(front: Front) -> None:
    size = 4_000_000

    async def echo(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while data := await visit.reader.read(65_536):
            visit.send(data)
            await visit.writer.drain()

    await front.bench.target(echo)
    browser = await front.browser(little_between=True)
    browser.h2.increment_flow_control_window(10_000_000)
    length = ("content-length", str(size))
    number = browser.ask("/", length, method="POST", end=False)
    body = bytes(range(250)) * (size // 250)
    uploading = asyncio.create_task(browser.send_body(number, body))
    await until(lambda: browser.replies[number].body)
    browser.reading.clear()
    flooding = await flood(browser, FRAMES["PING"])
    assert flooding < MOST
    browser.reading.set()
    async with asyncio.timeout(20):
        await uploading
    assert (await browser.reply(number)).body == body


async def test_streams_reset_by_the_gateway_count_as_wasted(front: Front) -> None:
    async def hang(visit: Visit) -> None:
        await visit.reader.read()
        visit.close()

    await front.bench.target(hang)
    browser = await front.browser()
    async with asyncio.timeout(20):
        while browser.terminated is None:
            number = browser.ask("/", ("content-length", "2"), method="POST", end=False)
            browser.h2.send_headers(number, [("x-trailer", "1")], end_stream=True)
            browser.flush()
            await asyncio.sleep(0)
    assert browser.terminated == ErrorCodes.ENHANCE_YOUR_CALM


async def test_stream_opened_and_cancelled_in_one_read_affects_no_other(front: Front) -> None:
    async def script(visit: Visit) -> None:
        await visit.body()
        visit.send(OK)

    await front.bench.target(script)
    browser = await front.browser()
    for path, method in [("/fixed", "GET"), ("/fixed", "HEAD"), ("/", "GET"), ("/x", "TRACE")]:
        number = browser.ask(path, method=method, flush=False)
        browser.h2.reset_stream(number)
        number = browser.ask(
            path, ("expect", "100-continue"), method="POST", end=False, flush=False
        )
        browser.h2.send_data(number, b"abc")
        browser.h2.reset_stream(number)
        whole = browser.ask(path, method=method, end=False, flush=False)
        browser.h2.send_data(whole, b"abc", end_stream=True)
        browser.flush()
        assert (await browser.reply(whole)).ended
    assert (await browser.reply(browser.ask())).body == b"ok"
    assert browser.terminated is None
