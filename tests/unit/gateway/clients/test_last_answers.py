"""The last answer on a connection arrives completely, and the connection then ends."""

import asyncio
import socket

from gateway.gateway import Gateway
from gateway.net.timeouts import Timeouts
from gateway.targets.target import Address
from tests.unit.gateway.certificates import NAME, SelfSigned
from tests.unit.gateway.https import secure_gateway
from tests.unit.gateway.support import DEADLINE, Bench, Visit, routing, until

LINGER = 0.1
SHORT = Timeouts(linger=LINGER, tick=0.02)
SIZE = 100_000
"""More than the kernel buffers, and less than the amount at which the gateway stops reading."""
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


async def says_much(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE + b"x" * SIZE)


def slow_client(gateway: Gateway, port: int) -> socket.socket:
    """A client with small buffers on both sides, as on a slow line."""
    for acceptor in gateway.acceptors:
        for listening in acceptor.sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    client.settimeout(DEADLINE)
    client.connect(("127.0.0.1", port))
    return client


async def answered(bench: Bench, gateway: Gateway) -> None:
    """Waits until the answer is passed on, and all timeouts for reading it have passed."""
    await until(lambda: bench.targets[-1].visits)
    [target] = gateway.groups["Web"].registered
    await until(lambda: not target.outstanding)
    watch = gateway.plane.watch
    began = watch.now
    await until(lambda: watch.now > began + 5 * LINGER)


def read_all(client: socket.socket) -> bytes:
    data = b""
    while piece := client.recv(65_536):
        data += piece
    return data


async def test_slow_client_gets_its_complete_last_answer(bench: Bench) -> None:
    gateway = await bench.gateway(await bench.target(says_much), timeouts=SHORT)
    with await asyncio.to_thread(slow_client, gateway, gateway.port) as client:
        client.sendall(LAST)
        await answered(bench, gateway)
        assert (await asyncio.to_thread(read_all, client)).count(b"x") == SIZE


async def test_slow_tls_client_gets_its_complete_last_answer(
    bench: Bench, certificate: SelfSigned
) -> None:
    gateway = await secure_gateway(bench, certificate, timeouts=SHORT)
    bench.targets[-1].script = says_much
    context = certificate.client()
    plain = await asyncio.to_thread(slow_client, gateway, gateway.ports["Secure"])
    secure = context.wrap_socket(plain, server_hostname=NAME, do_handshake_on_connect=False)
    with secure:
        await asyncio.to_thread(secure.do_handshake)
        secure.sendall(LAST)
        await answered(bench, gateway)
        assert (await asyncio.to_thread(read_all, secure)).count(b"x") == SIZE


async def test_client_that_never_reads_its_last_answer_is_disconnected(bench: Bench) -> None:
    timeouts = Timeouts(linger=LINGER, idle=0.3, tick=0.02)
    gateway = await bench.gateway(await bench.target(says_much), timeouts=timeouts)
    with await asyncio.to_thread(slow_client, gateway, gateway.port) as client:
        client.sendall(LAST)
        await until(lambda: bench.targets[0].visits)
        await until(lambda: not gateway.open_clients)


async def test_drain_ends_with_an_answer_that_began_before_it(
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


async def test_answer_without_length_cut_by_deregistration_is_recognisably_incomplete(
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
