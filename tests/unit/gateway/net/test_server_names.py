"""Which of a listener's certificates a client gets."""

import asyncio
import socket
import ssl

import pytest

from gateway.gateway import CertificateError, Gateway, start_gateway
from gateway.observe.access_log import AccessLog, AlbFormat
from gateway.observe.metrics import Metrics
from gateway.template.reader import read_routing
from tests.unit.gateway.certificates import SelfSigned, make
from tests.unit.gateway.https import ARN, SECURE
from tests.unit.gateway.support import Bench, Client, Lines, until

TEMPLATE = (
    SECURE
    + """\
  More:
    Type: AWS::ElasticLoadBalancingV2::ListenerCertificate
    Properties:
      ListenerArn: !Ref Secure
      Certificates: [{CertificateArn: !Ref Shop}, {CertificateArn: wild}]
  Shop: {Type: AWS::CertificateManager::Certificate}
"""
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SelfSigned]:
    names = {ARN: "localhost", "Shop": "shop.example.com", "wild": "*.example.com"}
    return {arn: make(tmp_path_factory.mktemp("certificate"), name) for arn, name in names.items()}


async def started(
    bench: Bench, certificates: dict[str, SelfSigned], log: AccessLog | None = None
) -> Gateway:
    target = await bench.target()
    routing = read_routing(TEMPLATE, {}, "t.yml")
    gateway = await start_gateway(
        routing,
        {"Web": [target.url]},
        port=0,
        certificates={arn: certificate.files for arn, certificate in certificates.items()},
        access_log=log,
        metrics=Metrics(routing.load_balancer),
    )
    bench.keep(gateway)
    await gateway.first_checks()
    return gateway


async def connect(bench: Bench, gateway: Gateway, name: str | None, *protocols: str) -> Client:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gateway.ports["Secure"], ssl=context, server_hostname=name or ""
    )
    client = Client(reader, writer)
    bench.keep_client(client)
    return client


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("shop.example.com", "Shop"),
        ("SHOP.example.com", "Shop"),
        ("other.example.com", "wild"),
        ("a.b.example.com", ARN),
        ("example.com", ARN),
        ("localhost", ARN),
        (None, ARN),
    ],
)
async def test_client_gets_the_certificate_for_its_server_name(
    bench: Bench, certificates: dict[str, SelfSigned], asked: str | None, shown: str
) -> None:
    lines = Lines()
    log = AccessLog(AlbFormat("Balancer"), lines)
    gateway = await started(bench, certificates, log)
    client = await connect(bench, gateway, asked)
    assert (await client.get()).status == 200
    seen = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    expected = ssl.PEM_cert_to_DER_cert(certificates[shown].files.certificate.read_text())
    assert seen == expected
    log.flush()
    assert f'"{asked or "-"}" "{shown}"' in lines.lines[0]


async def test_every_certificate_offers_http_2(
    bench: Bench, certificates: dict[str, SelfSigned]
) -> None:
    gateway = await started(bench, certificates)
    for name in ("localhost", "shop.example.com"):
        client = await connect(bench, gateway, name, "h2")
        assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"


async def test_failed_handshakes_are_counted_for_every_certificate(
    bench: Bench, certificates: dict[str, SelfSigned]
) -> None:
    gateway = await started(bench, certificates)
    context = ssl.create_default_context()

    def visit() -> None:
        plain = socket.create_connection(("127.0.0.1", gateway.ports["Secure"]), timeout=5)
        with plain, pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(plain, server_hostname="shop.example.com")

    await asyncio.to_thread(visit)
    await until(lambda: sum(acceptor.failed_handshakes for acceptor in gateway.acceptors) == 1)


async def test_missing_certificate_is_reported(
    certificates: dict[str, SelfSigned],
) -> None:
    routing = read_routing(TEMPLATE, {}, "t.yml")
    files = {ARN: certificates[ARN].files, "Shop": certificates["Shop"].files}
    with pytest.raises(CertificateError, match="Secure needs --certificate wild="):
        await start_gateway(routing, {}, port=0, certificates=files)
