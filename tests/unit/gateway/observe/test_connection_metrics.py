"""Metrics of connections with clients and targets, of every protocol."""

import asyncio
import socket
import ssl

import pytest

from gateway.template.reader import read_routing
from tests.unit.gateway.certificates import NAME, SelfSigned, make
from tests.unit.gateway.https import ARN, SECURE
from tests.unit.gateway.measured import Measured, measured
from tests.unit.gateway.support import DEADLINE, Bench, Client, until


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    return make(tmp_path_factory.mktemp("certificate"))


async def secured(bench: Bench, certificate: SelfSigned) -> Measured:
    return await measured(
        bench,
        await bench.target(),
        with_routing=read_routing(SECURE, {}, "t.yml"),
        certificates={ARN: certificate.files},
    )


async def connect(bench: Bench, one: Measured, context: ssl.SSLContext | None) -> Client:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1",
        one.gateway.ports["Secure"],
        ssl=context,
        server_hostname=NAME if context else None,
    )
    client = Client(reader, writer)
    bench.keep_client(client)
    return client


async def test_connections_with_clients_of_every_version_and_with_targets_are_counted(
    bench: Bench, certificate: SelfSigned
) -> None:
    one = await secured(bench, certificate)
    assert bench.targets[0].health_requests
    assert one.value("NewConnectionCount") == one.value("ActiveConnectionCount") == 0
    plain = await bench.client(one.gateway)
    await plain.get()
    first = await connect(bench, one, certificate.client("http/1.1"))
    for _ in range(2):
        assert (await first.get()).status == 200
    second = await connect(bench, one, certificate.client("h2"))
    await until(lambda: one.value("ActiveConnectionCount") == 4)
    assert one.value("NewConnectionCount") == 4
    for client in (plain, first, second):
        client.close()
    await until(lambda: one.value("ActiveConnectionCount") == 1)
    assert one.value("NewConnectionCount") == 4


async def test_failed_tls_negotiation_with_a_client_is_counted(
    bench: Bench, certificate: SelfSigned
) -> None:
    one = await secured(bench, certificate)
    port = one.gateway.ports["Secure"]

    def shake_hands(context: ssl.SSLContext) -> None:
        # asyncio's own client would not send the server a reason.
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connection:
            context.wrap_socket(connection, server_hostname=NAME).close()

    await asyncio.to_thread(shake_hands, certificate.client())
    (await connect(bench, one, None)).close()
    assert one.value("ClientTLSNegotiationErrorCount") == 0
    with pytest.raises(ssl.SSLError, match="self-signed"):
        await asyncio.to_thread(shake_hands, ssl.create_default_context())
    await until(lambda: one.value("ClientTLSNegotiationErrorCount") == 1)
    plain = await connect(bench, one, None)
    plain.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await plain.closed()
    assert one.value("ClientTLSNegotiationErrorCount") == 2
    old = certificate.client(most=ssl.TLSVersion.TLSv1_2)
    old.set_ciphers("AES128-SHA")
    with pytest.raises(ssl.SSLError):
        await asyncio.to_thread(shake_hands, old)
    await until(lambda: one.value("ClientTLSNegotiationErrorCount") == 3)
