"""HTTP/2 clients and HTTP/1.1 targets."""

import asyncio

import pytest
from h2.errors import ErrorCodes

from gateway.net.timeouts import Timeouts
from gateway.template.reader import read_routing
from tests.unit.gateway.browser import Front
from tests.unit.gateway.certificates import NAME, SelfSigned
from tests.unit.gateway.https import SECURE
from tests.unit.gateway.support import Visit, says, until, until_it_stands_still


async def test_a_request_of_http_2_reaches_the_target_as_http_1_1(front: Front) -> None:
    target = await front.bench.target(
        says(b"HTTP/1.1 200 OK\r\nX-One: 1\r\nConnection: x\r\nContent-Length: 2\r\n\r\nok")
    )
    browser = await front.browser()
    number = browser.ask("/a?b", ("user-agent", "test"), ("cookie", "a=1"), ("cookie", "b=2"))
    reply = await browser.reply(number)
    assert (reply.status, reply.body) == (200, b"ok")
    names = [name for name, _ in reply.headers]
    assert names == [b":status", b"x-one", b"content-length", b"date"]
    visit = target.visits[0]
    assert visit.request_line == b"GET /a?b HTTP/1.1"
    assert visit.header(b"X-Forwarded-Proto") == b"https"
    assert front.gateway is not None
    assert visit.header(b"Host") == b"%b:%d" % (NAME.encode(), front.gateway.ports["Secure"])
    assert (b"user-agent", b"test") in visit.headers
    assert (b"cookie", b"a=1; b=2") in visit.headers


async def test_streams_are_answered_independently(front: Front) -> None:
    gate = asyncio.Event()

    async def script(visit: Visit) -> None:
        if b"/slow" in visit.request_line:
            await gate.wait()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    await front.bench.target(script)
    browser = await front.browser()
    slow, fast = browser.ask("/slow"), browser.ask("/fast")
    assert (await browser.reply(fast)).status == 200
    assert not browser.replies[slow].ended
    gate.set()
    assert (await browser.reply(slow)).status == 200


@pytest.mark.parametrize("sized", [False, True])
async def test_bodies_go_both_ways(front: Front, sized: bool) -> None:
    async def echo(visit: Visit) -> None:
        body = await visit.body()
        visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        visit.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    target = await front.bench.target(echo)
    browser = await front.browser()
    body = bytes(range(256)) * 2000
    fields = [("content-length", str(len(body)))] if sized else []
    number = browser.ask("/", *fields, method="POST", end=False)
    await browser.send_body(number, body)
    reply = await browser.reply(number)
    assert reply.body == body
    framing = target.visits[0].header(b"Content-Length" if sized else b"Transfer-Encoding")
    assert framing == (str(len(body)).encode() if sized else b"chunked")


async def test_head_and_own_answers_have_no_connection_header(front: Front) -> None:
    await front.bench.target()
    browser = await front.browser()
    reply = await browser.reply(browser.ask("/x", method="TRACE"))
    assert (reply.status, len(reply.body)) == (405, 122)
    assert [name for name, _ in reply.headers] == [
        b":status",
        b"server",
        b"date",
        b"content-type",
        b"content-length",
    ]
    reply = await browser.reply(browser.ask("/x", method="HEAD"))
    assert (reply.status, reply.body) == (200, b"")


async def test_client_that_opens_no_window_pauses_the_target(front: Front) -> None:
    sent = 0

    async def endless(visit: Visit) -> None:
        nonlocal sent
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            visit.send(b"x" * 65_536)
            sent += 65_536
            await visit.writer.drain()

    await front.bench.target(endless)
    browser = await front.browser()
    browser.reads = False
    number = browser.ask()
    await until(lambda: len(browser.replies[number].body) == 65_535)
    await until_it_stands_still(lambda: sent)
    assert sent < 64 * 1024 * 1024


async def test_slow_target_limits_the_clients_window(front: Front) -> None:
    async def deaf(visit: Visit) -> None:
        visit.writer.transport.pause_reading()  # type: ignore[attr-defined]  # StreamWriter hides it
        await asyncio.Event().wait()

    await front.bench.target(deaf)
    browser = await front.browser()
    number = browser.ask("/", method="POST", end=False)
    loop = asyncio.get_running_loop()
    sent, moved = 0, loop.time()
    async with asyncio.timeout(20):
        while loop.time() - moved < 0.5:
            room = browser.h2.local_flow_control_window(number)
            if room > 0:
                piece = b"x" * min(room, 16_000)
                browser.h2.send_data(number, piece)
                browser.flush()
                sent, moved = sent + len(piece), loop.time()
            await asyncio.sleep(0)
    assert 65_535 < sent < 64 * 1024 * 1024


async def test_cancelled_stream_closes_its_target_connection(front: Front) -> None:
    async def hang(visit: Visit) -> None:
        await visit.reader.read()
        visit.close()

    target = await front.bench.target(hang)
    browser = await front.browser()
    number = browser.ask()
    await until(lambda: target.visits)
    browser.h2.reset_stream(number)
    browser.flush()
    await until(target.visits[0].reader.at_eof)
    target.script = says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert (await browser.reply(browser.ask())).body == b"ok"
    front.log.flush()
    assert front.lines.lines[0].split()[8] == "460"


async def test_target_that_disconnects_resets_only_its_stream(front: Front) -> None:
    async def script(visit: Visit) -> None:
        if b"/break" in visit.request_line:
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            await visit.writer.drain()
            visit.close()
        else:
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    await front.bench.target(script)
    browser = await front.browser()
    reply = await browser.reply(browser.ask("/break"))
    assert (reply.status, reply.body, reply.reset) == (200, b"abc", ErrorCodes.INTERNAL_ERROR)
    assert (await browser.reply(browser.ask("/"))).body == b"ok"


async def test_client_that_keeps_opening_and_resetting_streams_is_disconnected(
    front: Front,
) -> None:
    async def hang(visit: Visit) -> None:
        await visit.reader.read()
        visit.close()

    await front.bench.target(hang)
    browser = await front.browser()
    with pytest.raises(TimeoutError):  # noqa: PT012 - until the gateway says no
        async with asyncio.timeout(20):
            while browser.terminated is None:
                number = browser.ask()
                browser.h2.reset_stream(number)
                browser.flush()
                await asyncio.sleep(0)
            raise TimeoutError
    assert browser.terminated == ErrorCodes.ENHANCE_YOUR_CALM


async def test_an_old_or_draining_connection_gets_goaway(front: Front) -> None:
    await front.bench.target()
    await front.start(Timeouts(client_keep_alive=0.1, linger=0.1, tick=0.02))
    browser = await front.browser()
    assert (await browser.reply(browser.ask())).status == 200
    await asyncio.sleep(0.15)
    assert (await browser.reply(browser.ask())).status == 200
    await until(lambda: browser.terminated == ErrorCodes.NO_ERROR and browser.closed)


async def test_pings_do_not_keep_an_idle_connection_open(front: Front) -> None:
    await front.bench.target()
    await front.start(Timeouts(idle=0.3, tick=0.02))
    browser = await front.browser()

    async def ping() -> None:
        while not browser.closed:
            browser.h2.ping(b"12345678")
            browser.flush()
            await asyncio.sleep(0.05)

    async with asyncio.timeout(20):
        await ping()


async def test_a_silent_target_is_504_on_its_stream(front: Front) -> None:
    async def hang(visit: Visit) -> None:
        await visit.reader.read()
        visit.close()

    await front.bench.target(hang)
    await front.start(Timeouts(idle=0.3, tick=0.02))
    browser = await front.browser()
    assert (await browser.reply(browser.ask())).status == 504


def with_http2(value: str) -> str:
    section = "      LoadBalancerAttributes:\n"
    attribute = f"        - {{Key: routing.http2.enabled, Value: '{value}'}}\n"
    return SECURE.replace(section, section + attribute)


async def test_http_2_is_not_offered_when_the_attribute_says_so(
    front: Front, certificate: SelfSigned
) -> None:
    await front.bench.target()
    await front.start(text=with_http2("false"))
    assert front.gateway is not None
    _, writer = await asyncio.open_connection(
        "127.0.0.1",
        front.gateway.ports["Secure"],
        ssl=certificate.client("h2", "http/1.1"),
        server_hostname=NAME,
    )
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
    writer.transport.abort()


async def test_expect_100_is_answered_at_once_over_http_2(front: Front) -> None:
    target = await front.bench.target()
    browser = await front.browser()
    number = browser.ask(
        "/", ("expect", "100-continue"), ("content-length", "2"), method="POST", end=False
    )
    await until(lambda: browser.replies[number].informational == [b"100"])
    await browser.send_body(number, b"hi")
    assert (await browser.reply(number)).status == 200
    assert target.visits[0].header(b"Expect") is None


async def test_reload_changes_whether_http_2_is_offered(
    front: Front, certificate: SelfSigned
) -> None:
    await front.bench.target()
    browser = await front.browser()
    assert front.gateway is not None
    offered = []
    for value in "false", "true":
        front.gateway.apply(read_routing(with_http2(value), {}, "t.yml"))
        _, writer = await asyncio.open_connection(
            "127.0.0.1",
            front.gateway.ports["Secure"],
            ssl=certificate.client("h2", "http/1.1"),
            server_hostname=NAME,
        )
        offered.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        writer.transport.abort()
    assert offered == ["http/1.1", "h2"]
    assert (await browser.reply(browser.ask())).body == b"ok"
