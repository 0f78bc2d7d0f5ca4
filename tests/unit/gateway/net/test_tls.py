"""HTTPS listeners, and several listeners side by side."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from gateway.clients.http1_connection import ClientConnection
from gateway.clients.http2_connection import Http2Connection
from gateway.gateway import (
    CertificateError,
    Gateway,
    ListenError,
    UnknownListenerError,
    start_gateway,
)
from gateway.observe.access_log import AccessLog, AlbFormat
from gateway.template.reader import RefusedTemplateError, read_routing
from tests.unit.gateway.certificates import NAME, SelfSigned
from tests.unit.gateway.https import ARN, SECURE, secure_gateway
from tests.unit.gateway.support import TEMPLATE, Bench, Client, Lines, until


async def connect(bench: Bench, gateway: Gateway, context: ssl.SSLContext) -> Client:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gateway.ports["Secure"], ssl=context, server_hostname=NAME
    )
    client = Client(reader, writer)
    bench.keep_client(client)
    return client


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_https_listener_supports_tls_1_2_and_1_3_and_informs_the_target(
    bench: Bench, certificate: SelfSigned, version: ssl.TLSVersion
) -> None:
    gateway = await secure_gateway(bench, certificate)
    client = await connect(bench, gateway, certificate.client(least=version, most=version))
    for _ in range(2):
        assert (await client.get()).body == b"ok"
    visit = bench.targets[0].visits[0]
    assert visit.header(b"X-Forwarded-Proto") == b"https"
    assert visit.header(b"X-Forwarded-Port") == b"%d" % gateway.ports["Secure"]
    spoken = client.writer.get_extra_info("ssl_object")
    assert visit.header(b"X-Amzn-Tls-Version") == spoken.version().encode()
    assert visit.header(b"X-Amzn-Tls-Cipher-Suite") == spoken.cipher()[0].encode()


async def test_tls_1_3_only_policy_refuses_tls_1_2(bench: Bench, certificate: SelfSigned) -> None:
    text = SECURE.replace("TLS13-1-2-2021-06", "TLS13-1-3-2021-06")
    gateway = await secure_gateway(bench, certificate, text=text)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await connect(bench, gateway, certificate.client(most=ssl.TLSVersion.TLSv1_2))
    client = await connect(bench, gateway, certificate.client())
    assert (await client.get()).status == 200


async def test_a_body_goes_through_tls_both_ways(bench: Bench, certificate: SelfSigned) -> None:
    gateway = await secure_gateway(bench, certificate)
    body = bytes(range(256)) * 4000

    async def echo(visit: object) -> None:
        got = await visit.body()  # type: ignore[attr-defined]  # a Visit
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(got), got))  # type: ignore[attr-defined]  # likewise

    bench.targets[0].script = echo
    client = await connect(bench, gateway, certificate.client("http/1.1"))
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert (await client.answer()).body == body


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
async def test_closing_a_tls_connection_twice_is_harmless(
    bench: Bench, certificate: SelfSigned, protocol: str
) -> None:
    gateway = await secure_gateway(bench, certificate)
    await connect(bench, gateway, certificate.client(protocol))
    await until(lambda: gateway.open_clients)
    [client] = gateway.plane.clients
    assert isinstance(client, ClientConnection | Http2Connection)
    client.close()
    client.close()
    client.check(gateway.plane.watch.now)
    client.abort()
    await until(lambda: not gateway.open_clients)


async def test_bytes_that_are_not_tls_get_no_answer(bench: Bench, certificate: SelfSigned) -> None:
    gateway = await secure_gateway(bench, certificate)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.ports["Secure"])
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    client = Client(reader, writer)
    bench.keep_client(client)
    assert b"HTTP/" not in await client.closed()
    assert bench.targets[0].visits == []


async def test_port_80_redirects_to_port_443(bench: Bench, certificate: SelfSigned) -> None:
    gateway = await secure_gateway(bench, certificate)
    client = await bench.client(gateway)
    client.send(b"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n\r\n")
    answer = await client.answer()
    assert answer.status_line == b"HTTP/1.1 301 Moved Permanently"
    assert answer.header(b"Location") == b"https://example.com:443/a?b=c"
    assert len(answer.body) == 134


async def logged_gateway(bench: Bench, certificate: SelfSigned) -> tuple[Lines, AccessLog, Gateway]:
    lines = Lines()
    log = AccessLog(AlbFormat("Balancer"), lines)
    return lines, log, await secure_gateway(bench, certificate, log=log)


async def test_the_log_names_cipher_version_and_server_name(
    bench: Bench, certificate: SelfSigned
) -> None:
    lines, log, gateway = await logged_gateway(bench, certificate)
    client = await connect(bench, gateway, certificate.client())
    await client.get()
    log.flush()
    [line] = lines.lines
    cipher, version, *_ = client.writer.get_extra_info("ssl_object").cipher()
    assert line.startswith("https ")
    assert f" {cipher} {version} " in line
    assert f'"{NAME}" "{ARN}"' in line


async def test_log_marks_resumed_tls_sessions(bench: Bench, certificate: SelfSigned) -> None:
    lines, log, gateway = await logged_gateway(bench, certificate)
    # In TLS 1.3, the server sends the session at any time after the handshake.
    context = certificate.client(most=ssl.TLSVersion.TLSv1_2)

    def visit(session: ssl.SSLSession | None) -> ssl.SSLSession | None:
        plain = socket.create_connection(("127.0.0.1", gateway.ports["Secure"]), timeout=5)
        with context.wrap_socket(plain, server_hostname=NAME, session=session) as secure:
            secure.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            while secure.recv(4_096):
                pass
            return secure.session

    session = await asyncio.to_thread(visit, None)
    await asyncio.to_thread(visit, session)
    log.flush()
    shown = [f'"{NAME}" "{ARN}"', f'"{NAME}" "session-reused"']
    assert [text in line for text, line in zip(shown, lines.lines, strict=True)] == [True, True]


async def test_a_server_name_cannot_forge_fields_of_the_log(
    bench: Bench, certificate: SelfSigned
) -> None:
    lines, log, gateway = await logged_gateway(bench, certificate)
    context = certificate.client()
    context.check_hostname = False
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gateway.ports["Secure"], ssl=context, server_hostname='a" "b'
    )
    client = Client(reader, writer)
    bench.keep_client(client)
    await client.get()
    log.flush()
    assert r'"a\x22 \x22b" "arn:' in lines.lines[0]


async def test_missing_or_invalid_certificate_is_refused_by_name(
    tmp_path: Path, certificate: SelfSigned
) -> None:
    routing = read_routing(SECURE, {}, "t.yml")
    with pytest.raises(CertificateError, match=f"Secure needs --certificate {ARN}="):
        await start_gateway(routing, {}, port=0)
    for name in ("certificate", "key"):
        (tmp_path / name).write_text("nonsense")
        files = {"certificate": certificate.files.certificate, "key": certificate.files.key}
        files[name] = tmp_path / name
        with pytest.raises(CertificateError, match=ARN):
            await start_gateway(
                routing, {}, port=0, certificates={ARN: type(certificate.files)(**files)}
            )


async def test_port_option_requires_an_existing_listener(bench: Bench) -> None:
    with pytest.raises(UnknownListenerError, match="no listener 'Nobody'"):
        await start_gateway(read_routing(TEMPLATE, {}, "t.yml"), {}, ports={"Nobody": 0})
    gateway = await start_gateway(read_routing(TEMPLATE, {}, "t.yml"), {}, ports={"Front": 0})
    bench.keep(gateway)
    with pytest.raises(ListenError, match=f"port {gateway.port} on 127.0.0.1 is taken"):
        await start_gateway(read_routing(TEMPLATE, {}, "t.yml"), {}, port=gateway.port)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", "Nonsense", "SslPolicy 'Nonsense' is not"),
        ("[{CertificateArn: 'arn:aws:acm:x:0:certificate/1'}]", "[]", "exactly one certificate"),
        ("Port: 443\n", "Port: 80\n", "port 80 is already that of Front"),
        ("Protocol: HTTPS\n", "Protocol: TLS\n", "Protocol 'TLS' is not implemented"),
        ("Protocol: HTTPS\n", "Protocol: HTTP\n", "an HTTP listener has no Certificates"),
    ],
)
def test_a_listener_that_cannot_be_run_is_refused(old: str, new: str, line: str) -> None:
    assert old in SECURE
    with pytest.raises(RefusedTemplateError) as caught:
        read_routing(SECURE.replace(old, new), {}, "t.yml")
    assert any(line in found for found in caught.value.lines), caught.value.lines
