"""WebSocket: after a 101 the gateway forwards all bytes unread."""

import pytest

from gateway.net.timeouts import Timeouts
from tests.unit.gateway.support import OK, Bench, Visit, until, until_it_stands_still

ASK = (
    b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: x\r\n\r\n"
)
YES = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: y\r\n\r\n"
)


async def echo(visit: Visit) -> None:
    visit.send(YES + b"hello")
    while data := await visit.reader.read(65_536):
        visit.send(data)
        await visit.writer.drain()
    visit.close()


async def test_content_length_zero_allows_websocket(bench: Bench) -> None:
    target = await bench.target(echo)
    client = await bench.client(await bench.gateway(target))
    client.send(ASK.replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n"))
    assert (await client.answer()).status == 101
    assert target.visits[0].header(b"Upgrade") == b"websocket"


async def test_a_101_connects_client_and_target(bench: Bench) -> None:
    target = await bench.target(echo)
    client = await bench.client(await bench.gateway(target))
    client.send(ASK + b"early, not HTTP\r\n\r\n")
    answer = await client.answer()
    assert answer.status_line == b"HTTP/1.1 101 Switching Protocols"
    assert answer.header(b"Connection") == b"Upgrade"
    assert answer.header(b"Upgrade") == b"websocket"
    assert answer.header(b"Sec-WebSocket-Accept") == b"y"
    expected = b"hello" + b"early, not HTTP\r\n\r\n"
    assert await client.reader.readexactly(len(expected)) == expected
    client.send(b"GET / HTTP/1.1\r\n\r\n")
    assert await client.reader.readexactly(18) == b"GET / HTTP/1.1\r\n\r\n"
    visit = target.visits[0]
    assert visit.header(b"Connection") == b"Upgrade"
    assert visit.header(b"Upgrade") == b"websocket"
    assert visit.header(b"Sec-WebSocket-Key") == b"x"


async def test_slow_websocket_reader_slows_the_sender(bench: Bench) -> None:
    sent = 0

    async def endless(visit: Visit) -> None:
        nonlocal sent
        visit.send(YES)
        while True:
            visit.send(b"x" * 65_536)
            sent += 65_536
            await visit.writer.drain()

    client = await bench.client(await bench.gateway(await bench.target(endless)))
    client.send(ASK)
    assert (await client.answer()).status == 101
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # StreamWriter hides it
    await until_it_stands_still(lambda: sent)
    assert sent < 64 * 1024 * 1024


async def test_either_side_may_close_a_websocket_and_it_is_logged_once(bench: Bench) -> None:
    target = await bench.target(echo)
    gateway = await bench.gateway(target)
    for number in range(2):
        client = await bench.client(gateway)
        client.send(ASK)
        assert (await client.answer()).status == 101
        await client.reader.readexactly(5)
        if number == 0:
            client.close()
            await until(target.visits[0].reader.at_eof)
        else:
            target.visits[1].close()
            assert await client.closed() == b""
    lines = await bench.logged(2)
    assert [line.split()[:3] for line in lines] == [["GET", "/chat", "101"]] * 2


async def test_a_silent_websocket_is_closed_after_the_idle_timeout(bench: Bench) -> None:
    timeouts = Timeouts(idle=0.2, tick=0.02)
    target = await bench.target(echo)
    client = await bench.client(await bench.gateway(target, timeouts=timeouts))
    client.send(ASK)
    assert (await client.answer()).status == 101
    assert await client.closed() == b"hello"
    await until(target.visits[0].reader.at_eof)


async def test_a_target_that_does_not_upgrade_answers_and_the_next_request_follows(
    bench: Bench,
) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    client.send(ASK + b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [(await client.answer()).body for _ in range(2)] == [b"ok", b"ok"]
    assert [visit.request_line for visit in target.visits] == [
        b"GET /chat HTTP/1.1",
        b"GET /next HTTP/1.1",
    ]


async def test_a_request_for_websocket_that_a_rule_answers_is_answered(bench: Bench) -> None:
    client = await bench.client(await bench.gateway())
    client.send(ASK.replace(b"/chat", b"/fixed") + b"GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [(await client.answer()).body for _ in range(2)] == [b"fixed", b"fixed"]


async def test_only_an_http_1_1_get_without_body_can_request_websocket(bench: Bench) -> None:
    target = await bench.target()
    gateway = await bench.gateway(target)
    for ask in (
        ASK.replace(b"GET", b"POST"),
        ASK.replace(b"HTTP/1.1", b"HTTP/1.0"),
        ASK.replace(b"websocket", b"h2c"),
        ASK.replace(b"keep-alive, Upgrade", b"keep-alive"),
    ):
        client = await bench.client(gateway)
        client.send(ask)
        assert (await client.answer()).status == 200
    assert [visit.header(b"Upgrade") for visit in target.visits] == [None] * 4


async def test_an_unrequested_101_is_502(bench: Bench) -> None:
    async def script(visit: Visit) -> None:
        visit.send(YES)

    target = await bench.target(script)
    client = await bench.client(await bench.gateway(target))
    assert (await client.get()).status == 502
    target.script = lambda visit: _say_ok(visit)
    assert (await client.get()).status == 200


@pytest.mark.parametrize("upgrade", [b"Upgrade: h2c\r\n", b"Upgrade: websocket, h2c\r\n", b""])
async def test_a_switch_to_another_protocol_than_websocket_is_502(
    bench: Bench, upgrade: bytes
) -> None:
    async def script(visit: Visit) -> None:
        visit.send(YES.replace(b"Upgrade: websocket\r\n", upgrade))

    client = await bench.client(await bench.gateway(await bench.target(script)))
    client.send(ASK)
    assert (await client.answer()).status == 502


async def _say_ok(visit: Visit) -> None:
    visit.send(OK)
