"""The versions and ciphers of TLS that each of AWS's policies allows, by handshakes in memory."""

import ssl
from pathlib import Path

import pytest

from gateway.clients.certificates import server_contexts
from gateway.net.tls import ServerContext
from gateway.template.reader import read_routing
from gateway.template.resources.tls_policies import POLICIES
from tests.unit.gateway.certificates import EC_KEY, NAME, RSA_KEY, SelfSigned, make
from tests.unit.gateway.https import ARN, SECURE

POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
KINDS = {"ECDSA": EC_KEY, "RSA": RSA_KEY}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SelfSigned]:
    return {kind: make(_folder(tmp_path_factory, kind), key=key) for kind, key in KINDS.items()}


def _folder(factory: pytest.TempPathFactory, kind: str) -> Path:
    return factory.mktemp(kind)


def server(policy: str, certificate: SelfSigned) -> ServerContext:
    routing = read_routing(SECURE.replace(POLICY, policy), {}, "t.yml")
    return server_contexts(routing, {ARN: certificate.files})["Secure"]


def agreed(server: ssl.SSLContext, client: ssl.SSLContext) -> str | None:
    """The cipher of a handshake between the two; None if it fails."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=NAME),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    done = 0
    for _ in range(8):
        for end in ends:
            try:
                end.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return None
    assert done
    cipher = ends[0].cipher()
    return cipher[0] if cipher else None


def known_ciphers() -> list[str]:
    """OpenSSL's ciphers of TLS 1.2 that need no pre-shared key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:!PSK:!SRP:!aNULL:@SECLEVEL=0")
    names = [cipher["name"] for cipher in context.get_ciphers()]
    return [name for name in names if not name.startswith("TLS_")]


CIPHERS = known_ciphers()
GCM = {
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
}
FORWARD_SECRET_SHA2 = GCM | {
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-RSA-AES256-SHA384",
}
FORWARD_SECRET_SHA1 = {
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
}
RSA_SHA2 = {"AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256"}
ALL = FORWARD_SECRET_SHA2 | FORWARD_SECRET_SHA1 | RSA_SHA2 | {"AES128-SHA", "AES256-SHA"}
EXPECTED = {
    "TLS13-1-3-2021-06": set[str](),
    "TLS13-1-2-Res-2021-06": GCM,
    "TLS13-1-2-2021-06": FORWARD_SECRET_SHA2,
    "TLS13-1-2-Ext1-2021-06": FORWARD_SECRET_SHA2 | RSA_SHA2,
    "TLS13-1-2-Ext2-2021-06": ALL,
    "TLS13-1-1-2021-06": ALL,
    "TLS13-1-0-2021-06": ALL,
    "TLS13-1-2-Res-PQ-2025-09": GCM,
    "TLS13-1-2-Ext0-FIPS-2023-04": FORWARD_SECRET_SHA2 | FORWARD_SECRET_SHA1,
    "2016-08": ALL,
    "TLS-1-1-2017-01": ALL,
    "TLS-1-2-2017-01": FORWARD_SECRET_SHA2 | RSA_SHA2,
    "TLS-1-2-Ext-2018-06": ALL,
    "FS-2018-06": FORWARD_SECRET_SHA2 | FORWARD_SECRET_SHA1,
    "FS-1-1-2019-08": FORWARD_SECRET_SHA2 | FORWARD_SECRET_SHA1,
    "FS-1-2-2019-08": FORWARD_SECRET_SHA2 | FORWARD_SECRET_SHA1,
    "FS-1-2-Res-2019-08": FORWARD_SECRET_SHA2,
    "FS-1-2-Res-2020-10": GCM,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_policy_has_exactly_its_ciphers_of_tls_1_2(
    name: str, certificates: dict[str, SelfSigned]
) -> None:
    accepted = set()
    for certificate in certificates.values():
        context = server(f"ELBSecurityPolicy-{name}", certificate)
        for cipher in CIPHERS:
            client = certificate.client(most=ssl.TLSVersion.TLSv1_2)
            client.set_ciphers(cipher + ":@SECLEVEL=0")
            if agreed(context, client) == cipher:
                accepted.add(cipher)
    assert accepted == EXPECTED[name]


@pytest.mark.parametrize("policy", POLICIES)
def test_only_policies_with_tls13_in_their_name_allow_tls_1_3(
    policy: str, certificates: dict[str, SelfSigned]
) -> None:
    certificate = certificates["ECDSA"]
    client = certificate.client(least=ssl.TLSVersion.TLSv1_3)
    assert (agreed(server(policy, certificate), client) is not None) is ("TLS13" in policy)


def test_load_balancers_cipher_order_has_priority(certificates: dict[str, SelfSigned]) -> None:
    client = certificates["RSA"].client(most=ssl.TLSVersion.TLSv1_2)
    client.set_ciphers("AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256")
    context = server("ELBSecurityPolicy-2016-08", certificates["RSA"])
    assert agreed(context, client) == "ECDHE-RSA-AES128-GCM-SHA256"
