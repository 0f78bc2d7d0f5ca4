"""HTTP/2's windows and limits: no stream blocks another, and none is blocked forever."""

import asyncio

from h2.errors import ErrorCodes
from h2.settings import SettingCodes, Settings

from gateway.net.timeouts import Timeouts
from tests.unit.gateway.browser import Browser, Front
from tests.unit.gateway.support import OK, Visit, full_backlog, until

UPLOAD = 60_000
ALL_WINDOWS = 20_000_000
"""More bytes than all streams together may have in flight."""


def send_at_once(browser: Browser, number: int, size: int) -> None:
    """Sends that many bytes of a body without waiting, and without its end."""
    while size:
        piece = min(size, 16_000)
        browser.h2.send_data(number, b"x" * piece)
        size -= piece
    browser.flush()


async def upload(browser: Browser, path: str = "/") -> int:
    """Begins an upload as soon as the connection's window allows it."""
    await until(lambda: browser.h2.outbound_flow_control_window >= UPLOAD)
    number = browser.ask(path, method="POST", end=False)
    send_at_once(browser, number, UPLOAD)
    return number


async def test_refused_upload_returns_its_window(front: Front) -> None:
    target = await front.bench.target()
    browser = await front.browser()
    await target.close()
    for _ in range(ALL_WINDOWS // UPLOAD):
        assert (await browser.reply(await upload(browser))).status == 502


async def test_cancelled_upload_returns_its_window(front: Front) -> None:
    target = await front.bench.target()
    browser = await front.browser()
    await target.close()
    with full_backlog(target.port):
        for _ in range(ALL_WINDOWS // UPLOAD):
            browser.h2.reset_stream(await upload(browser))
            # Without answers it would count as an attack.
            for number in [browser.ask("/fixed"), browser.ask("/fixed")]:
                assert (await browser.reply(number)).body == b"fixed"


async def test_upload_to_a_slow_target_does_not_block_others(front: Front) -> None:
    async def script(visit: Visit) -> None:
        await visit.body()
        visit.send(OK)

    target = await front.bench.target(script)
    browser = await front.browser()
    free = await browser.reply(browser.ask("/first"))
    assert free.body == b"ok"
    await target.close()
    with full_backlog(target.port):
        stuck = []
        for _ in range(100):
            stuck.append(browser.ask("/stuck", method="POST", end=False))
            send_at_once(browser, stuck[-1], 65_535)
        number = browser.ask("/fixed", method="POST", end=False)
        send_at_once(browser, number, UPLOAD)
        assert (await browser.reply(number)).body == b"fixed"
        assert browser.h2.outbound_flow_control_window > 1_000_000
        assert not any(browser.replies[number].ended for number in stuck)


async def test_large_answers_take_turns_in_a_small_window(front: Front) -> None:
    async def script(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)

    await front.bench.target(script)
    browser = await front.browser()
    # The streams' windows allow everything at once, the connection's only one window.
    browser.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1_000_000})
    numbers = [browser.ask(f"/{count}") for count in range(3)]
    for number in numbers:
        assert len((await browser.reply(number)).body) == 1_000_000
    ends = [len(browser.order) - browser.order[::-1].index(number) for number in numbers]
    begins = [browser.order.index(number) for number in numbers]
    assert max(begins) < min(ends) / 2


async def test_window_opened_by_settings_is_used(front: Front) -> None:
    await front.bench.target()
    browser = await front.browser()
    browser.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    number = browser.ask()
    await until(lambda: browser.replies[number].headers)
    assert (await browser.reply(browser.ask(method="HEAD"))).status == 200
    assert browser.replies[number].body == b""
    browser.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1000})
    browser.flush()
    assert (await browser.reply(number)).body == b"ok"


async def test_streams_beyond_128_are_refused_individually(front: Front) -> None:
    gate = asyncio.Event()

    async def script(visit: Visit) -> None:
        await gate.wait()
        visit.send(OK)

    target = await front.bench.target(script)
    browser = await front.browser()
    await until(lambda: browser.h2.remote_settings.max_concurrent_streams == 128)
    browser.h2.remote_settings = Settings(
        client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: 1000}
    )
    numbers = [browser.ask(f"/{count}", flush=False) for count in range(130)]
    browser.flush()
    for number in numbers[128:]:
        assert (await browser.reply(number)).reset == ErrorCodes.REFUSED_STREAM
    await until(lambda: len(target.visits) == 128)
    gate.set()
    for number in numbers[:128]:
        assert (await browser.reply(number)).body == b"ok"
    assert (await browser.reply(browser.ask())).body == b"ok"
    assert len(target.visits) == 129


async def test_empty_data_frames_count_as_idle(front: Front) -> None:
    await front.bench.target()
    await front.start(Timeouts(idle=0.3, tick=0.02))
    browser = await front.browser()
    number = browser.ask("/", ("content-length", "2"), method="POST", end=False)
    async with asyncio.timeout(20):
        while not browser.replies[number].ended:
            browser.h2.send_data(number, b"")
            browser.flush()
            await asyncio.sleep(0.02)
    assert browser.replies[number].status == 408
