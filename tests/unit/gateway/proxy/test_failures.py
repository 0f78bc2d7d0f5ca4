"""Misbehaving targets and clients: what the other side sees, and that nothing leaks to others."""

import asyncio
import socket

import pytest

from gateway.gateway import start_gateway
from gateway.net.timeouts import Timeouts
from tests.unit.gateway.support import OK, Bench, Visit, full_backlog, routing_with, says, until

SHORT = Timeouts(idle=0.3, connect=0.3, linger=0.3, tick=0.02)


async def hang(visit: Visit) -> None:
    await visit.reader.read()
    visit.close()


async def test_a_refused_connection_is_502(bench: Bench) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    await target.close()
    answer = await client.get()
    assert (answer.status, answer.header(b"Connection")) == (502, b"keep-alive")


async def test_a_target_that_does_not_accept_is_504_after_the_connect_timeout(
    bench: Bench,
) -> None:
    target = await bench.target()
    gateway = await bench.gateway(target, timeouts=SHORT)
    client = await bench.client(gateway)
    await target.close()
    with full_backlog(target.port):
        assert (await client.get()).status == 504


async def test_a_target_that_does_not_accept_in_the_idle_time_is_504(bench: Bench) -> None:
    target = await bench.target()
    timeouts = Timeouts(idle=0.3, connect=60, tick=0.02)
    client = await bench.client(await bench.gateway(target, timeouts=timeouts))
    await target.close()
    with full_backlog(target.port):
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        assert (await client.answer()).status == 504


async def test_a_pooled_connection_that_the_target_closed_is_502_and_not_retried(
    bench: Bench,
) -> None:
    async def once(visit: Visit) -> None:
        if len(target.visits) == 1:
            visit.send(OK)
        else:
            visit.abort()

    target = await bench.target(once)
    client = await bench.client(await bench.gateway(target))
    assert (await client.get()).status == 200
    assert (await client.get()).status == 502
    assert len(target.visits) == 2


async def test_the_idle_timeout_of_the_template_is_for_clients_and_targets(bench: Bench) -> None:
    target = await bench.target()
    gateway = await start_gateway(routing_with(idle_timeout=0.2), {"Web": [target.url]}, port=0)
    bench.keep(gateway)
    await gateway.first_checks()
    client = await bench.client(gateway)
    await client.get()
    await until(lambda: target.visits[0].reader.at_eof())
    assert await client.closed() == b""


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 33_000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: abcdefgh\r\n" * 3_000 + b"Content-Length: 0\r\n\r\n",
    ],
)
async def test_invalid_response_of_a_target_is_502(bench: Bench, answer: bytes) -> None:
    async def script(visit: Visit) -> None:
        visit.send(answer)
        visit.close()

    target = await bench.target(script)
    client = await bench.client(await bench.gateway(target))
    got = await client.get()
    assert got.status == 502
    assert got.header(b"Connection") == b"keep-alive"
    target.script = says(OK)
    assert (await client.get()).status == 200


async def test_a_silent_target_is_504_after_the_idle_timeout(bench: Bench) -> None:
    target = await bench.target(hang)
    client = await bench.client(await bench.gateway(target, timeouts=SHORT))
    answer = await client.get()
    assert (answer.status, answer.header(b"Connection")) == (504, b"keep-alive")
    await until(lambda: target.visits[0].reader.at_eof())
    assert (await bench.logged())[0].startswith("GET / 504 ")


async def test_slow_target_is_not_timed_out_while_bytes_arrive(bench: Bench) -> None:
    async def drip(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(0.1)
            visit.send(b"x")

    target = await bench.target(drip)
    client = await bench.client(await bench.gateway(target, timeouts=SHORT))
    assert (await client.get()).body == b"x" * 8


async def test_client_that_stops_sending_its_body_gets_408(bench: Bench) -> None:
    target = await bench.target(hang)
    client = await bench.client(await bench.gateway(target, timeouts=SHORT))
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    answer = await client.answer()
    assert (answer.status, answer.header(b"Connection")) == (408, b"close")
    assert await client.closed() == b""
    await until(lambda: target.visits[0].reader.at_eof())


async def test_client_that_stops_sending_its_head_gets_408(bench: Bench) -> None:
    client = await bench.client(await bench.gateway(await bench.target(), timeouts=SHORT))
    client.send(b"GET / HTTP/1.1\r\nHost:")
    assert (await client.answer()).status == 408
    assert await client.closed() == b""


async def test_client_that_sends_only_empty_lines_is_idle(bench: Bench) -> None:
    client = await bench.client(await bench.gateway(await bench.target(), timeouts=SHORT))

    async def drip() -> None:
        while True:
            client.send(b"\r\n")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    try:
        assert await client.closed() == b""
    finally:
        dripping.cancel()


async def test_head_that_arrives_too_slowly_is_408(bench: Bench) -> None:
    timeouts = Timeouts(idle=0.3, head=0.5, linger=0.3, tick=0.02)
    client = await bench.client(await bench.gateway(await bench.target(), timeouts=timeouts))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")

    async def drip() -> None:
        while not client.writer.is_closing():
            client.send(b"y")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    answer = await client.answer()
    dripping.cancel()
    assert (answer.status, answer.header(b"Connection")) == (408, b"close")
    assert await client.closed() == b""


async def test_idle_client_is_disconnected_without_a_response(
    bench: Bench,
) -> None:
    client = await bench.client(await bench.gateway(await bench.target(), timeouts=SHORT))
    await client.get()
    assert await client.closed() == b""


async def test_an_old_connection_gets_one_last_answer(bench: Bench) -> None:
    timeouts = Timeouts(client_keep_alive=0.1, tick=0.02)
    client = await bench.client(await bench.gateway(await bench.target(), timeouts=timeouts))
    assert (await client.get()).header(b"Connection") == b"keep-alive"
    await asyncio.sleep(0.15)
    assert (await client.get()).header(b"Connection") == b"close"
    assert await client.closed() == b""


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
)
async def test_incomplete_response_is_incomplete_for_the_client(bench: Bench, begun: bytes) -> None:
    async def script(visit: Visit) -> None:
        visit.send(begun)
        await visit.writer.drain()
        visit.close()

    target = await bench.target(script)
    client = await bench.client(await bench.gateway(target))
    answer = await client.get()
    assert (answer.status, answer.complete) == (200, False)
    assert await client.closed() == b""
    assert (await bench.logged())[0].startswith("GET / 200 ")


async def test_invalid_chunk_from_a_target_aborts_the_answer(bench: Bench) -> None:
    received = asyncio.Event()

    async def script(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await received.wait()
        visit.send(b"nonsense\r\n")

    client = await bench.client(await bench.gateway(await bench.target(script)))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.reader.readuntil(b"3\r\nabc\r\n")
    received.set()
    assert await client.closed() == b""


async def test_body_that_ends_with_a_reset_resets_an_http_1_0_client(bench: Bench) -> None:
    async def script(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await asyncio.sleep(0.05)
        visit.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0"
        )
        visit.abort()

    client = await bench.client(await bench.gateway(await bench.target(script)))
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await client.reader.readexactly(10_000)


async def test_client_disconnect_closes_the_target_connection(bench: Bench) -> None:
    target = await bench.target(hang)
    client = await bench.client(await bench.gateway(target))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: target.visits)
    client.close()
    await until(lambda: target.visits[0].reader.at_eof())
    assert (await bench.logged())[0].startswith("GET / 460 ")


async def test_client_disconnect_within_a_body_is_logged_as_400(bench: Bench) -> None:
    target = await bench.target(hang)
    client = await bench.client(await bench.gateway(target))
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    await until(lambda: target.visits)
    client.close()
    await until(lambda: target.visits[0].reader.at_eof())
    assert (await bench.logged())[0].startswith("POST / 400 ")


async def test_client_disconnect_while_connecting_leaks_nothing(bench: Bench) -> None:
    target = await bench.target()
    gateway = await bench.gateway(target)
    client = await bench.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    client.close()
    assert len(await bench.logged()) == 1
    other = await bench.client(gateway)
    assert (await other.get()).body == b"ok"


async def test_early_answer_arrives_and_closes_both_connections(
    bench: Bench,
) -> None:
    async def early(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await hang(visit)

    target = await bench.target(early)
    client = await bench.client(await bench.gateway(target))
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
    answer = await client.answer()
    assert (answer.status, answer.body) == (413, b"big")
    assert answer.header(b"Connection") == b"close"
    client.send(b"x" * 999_000 + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
    assert await client.closed() == b""
    await until(lambda: target.visits[0].reader.at_eof())
    assert len(target.visits) == 1


async def test_early_answer_announces_the_end_of_its_connection(
    bench: Bench,
) -> None:
    body = asyncio.Event()

    async def early(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 415 Unsupported Media Type\r\nContent-Length: 3\r\n\r\n")
        await body.wait()
        visit.send(b"no.")
        await hang(visit)

    client = await bench.client(await bench.gateway(await bench.target(early)))
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
    head = await client.reader.readuntil(b"\r\n\r\n")
    body.set()
    assert await client.closed() == b"no."
    assert b"\r\nConnection: close\r\n" in head


async def test_bytes_after_a_response_do_not_reach_the_next_client(bench: Bench) -> None:
    target = await bench.target(says(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
    gateway = await bench.gateway(target)
    for _ in range(3):
        client = await bench.client(gateway)
        answer = await client.get()
        assert (answer.status, answer.body) == (200, b"ok")
    assert target.connections == 3


@pytest.mark.parametrize(
    "surplus", [b"evil", b"HTTP/1.1 200 OK\r\n\r\n", b"4\r\nevil\r\n0\r\n\r\n"]
)
@pytest.mark.parametrize(
    "framing", [b"Content-Length: 4", b"Transfer-Encoding: chunked", b"Content-Length: 0"]
)
async def test_a_body_after_the_response_to_head_does_not_reach_the_next_client(
    bench: Bench, surplus: bytes, framing: bytes
) -> None:
    target = await bench.target(says(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n" + surplus))
    gateway = await bench.gateway(target)
    client = await bench.client(gateway)
    client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await client.answer(head=True)).status == 200
    target.script = says(OK)
    assert (await client.get()).body == b"ok"


async def test_unrequested_bytes_end_an_idle_connection(bench: Bench) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    await client.get()
    target.visits[0].send(OK)
    await until(lambda: target.visits[0].reader.at_eof())
    assert (await client.get()).body == b"ok"
    assert target.connections == 2


async def test_a_response_that_asks_for_close_is_the_connections_last(bench: Bench) -> None:
    target = await bench.target(
        says(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    )
    client = await bench.client(await bench.gateway(target))
    for _ in range(3):
        assert (await client.get()).header(b"Connection") == b"keep-alive"
    assert target.connections == 3


@pytest.mark.parametrize(
    "rest",
    [b"zz\r\n", b"5\r\nab\r\n0\r\n\r\n\r\n", b"2\nab\n0\n\n", b"-1\r\n", b"0\r\nX Y\r\n\r\n"],
)
async def test_a_broken_chunk_is_400_and_ends_both_connections(bench: Bench, rest: bytes) -> None:
    target = await bench.target(hang)
    client = await bench.client(await bench.gateway(target))
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    await until(lambda: target.visits)
    client.send(rest)
    answer = await client.answer()
    assert (answer.status, answer.header(b"Connection")) == (400, b"close")
    assert await client.closed() == b""
    await until(lambda: target.visits[0].reader.at_eof())


async def test_trailers_and_chunk_extensions_without_end_are_refused(bench: Bench) -> None:
    target = await bench.target(hang)
    gateway = await bench.gateway(target)
    for endless in (b"1;" + b"x" * 200_000, b"0\r\n" + b"X: y\r\n" * 40_000):
        client = await bench.client(gateway)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + endless)
        assert (await client.answer()).status == 400


async def test_refused_request_does_not_prevent_an_earlier_answer(
    bench: Bench,
) -> None:
    client = await bench.client(await bench.gateway(await bench.target()))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n")
    assert (await client.answer()).body == b"ok"
    assert (await client.answer()).status == 400
    assert await client.closed() == b""


async def test_answer_arrives_while_the_client_still_sends(bench: Bench) -> None:
    client = await bench.client(await bench.gateway(await bench.target(), timeouts=SHORT))
    client.send(b"POST /fixed HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n")
    for _ in range(20):
        client.send(b"x" * 100_000)
        await asyncio.sleep(0)
    answer = await client.answer()
    assert (answer.body, answer.header(b"Connection")) == (b"fixed", b"close")


async def test_client_that_never_stops_sending_is_disconnected(bench: Bench) -> None:
    client = await bench.client(await bench.gateway(await bench.target(), timeouts=SHORT))
    client.send(b"POST /fixed HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000\r\n\r\n")
    await client.answer()

    async def send_for_ever() -> None:
        while True:
            client.send(b"x" * 10_000)
            await client.writer.drain()
            await asyncio.sleep(0.01)

    with pytest.raises(ConnectionError):
        async with asyncio.timeout(20):
            await send_for_ever()
