"""Answers after which a connection ends arrive whole, and connections that are to end do."""

import asyncio
import socket
import ssl

from gateway.gateway import Gateway
from gateway.target_group import Address
from gateway.timeouts import Timeouts
from tests.unit.gateway.certificates import NAME, SelfSigned
from tests.unit.gateway.https import secure_gateway
from tests.unit.gateway.support import Bench, Client, Visit, routing, until

LINGER = 0.1
SHORT = Timeouts(linger=LINGER, tick=0.02)
SIZE = 200_000
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


async def says_much(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE + b"x" * SIZE)


async def slow_client(
    bench: Bench, gateway: Gateway, port: int, context: ssl.SSLContext | None = None
) -> Client:
    """One for whom the kernel keeps little on both sides, as on a slow line."""
    for server in gateway._servers:
        for listening in server.sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    mine = socket.socket()
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    mine.setblocking(False)
    await asyncio.get_running_loop().sock_connect(mine, ("127.0.0.1", port))
    name = NAME if context else None
    reader, writer = await asyncio.open_connection(
        sock=mine, limit=4_096, ssl=context, server_hostname=name
    )
    client = Client(reader, writer)
    bench.keep_client(client)
    return client


async def read_late(bench: Bench, gateway: Gateway, client: Client) -> int:
    """The size of the answer's body, read long after the gateway has handed all of it over."""
    client.send(LAST)
    await until(lambda: bench.targets[-1].visits)
    watch = gateway.plane.watch
    began = watch.now
    await until(lambda: watch.now > began + 5 * LINGER)
    return len((await client.answer()).body)


async def test_a_client_that_reads_slowly_gets_the_whole_of_its_last_answer(bench: Bench) -> None:
    gateway = await bench.gateway(await bench.target(says_much), timeouts=SHORT)
    client = await slow_client(bench, gateway, gateway.port)
    assert await read_late(bench, gateway, client) == SIZE
    assert await client.closed() == b""


async def test_a_client_that_reads_slowly_over_tls_gets_the_whole_of_its_last_answer(
    bench: Bench, certificate: SelfSigned
) -> None:
    gateway = await secure_gateway(bench, certificate, timeouts=SHORT)
    bench.targets[-1].script = says_much
    context = certificate.client()
    client = await slow_client(bench, gateway, gateway.ports["Secure"], context)
    assert await read_late(bench, gateway, client) == SIZE
    assert await client.closed() == b""


async def test_a_client_that_never_reads_its_last_answer_is_not_kept(bench: Bench) -> None:
    timeouts = Timeouts(linger=LINGER, idle=0.3, tick=0.02)
    gateway = await bench.gateway(await bench.target(says_much), timeouts=timeouts)
    client = await slow_client(bench, gateway, gateway.port)
    client.send(LAST)
    await until(lambda: bench.targets[0].visits)
    await until(lambda: not gateway.open_clients)


async def test_a_drain_is_over_with_the_last_answer_even_if_that_had_begun_before(
    bench: Bench,
) -> None:
    go_on = asyncio.Event()

    async def script(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
        await go_on.wait()
        visit.send(b"later")

    gateway = await bench.gateway(await bench.target(script))
    client = await bench.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.reader.readuntil(b"first")
    drained = asyncio.create_task(gateway.drain(60))
    await until(lambda: gateway.plane.draining)
    go_on.set()
    assert await client.closed() == b"later"
    assert await drained


async def test_an_answer_without_length_that_the_deregistration_delay_ends_looks_cut_off(
    bench: Bench,
) -> None:
    async def script(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\n\r\nfirst half")
        await visit.reader.read()

    target = await bench.target(script)
    gateway = await bench.gateway(target, with_routing=routing(deregistration_delay=0.2))
    client = await bench.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.reader.readuntil(b"first half\r\n")
    gateway.registrations["Web"].deregister(Address("127.0.0.1", target.port))
    assert b"0\r\n\r\n" not in await client.closed()
