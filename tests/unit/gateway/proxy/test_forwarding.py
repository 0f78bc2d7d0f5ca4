"""Headers that the gateway writes, one rule at a time."""

from random import Random

import pytest

from gateway.http1.request_head import HeadReader
from gateway.proxy.heads import ForwardedHeaders, host_line, trace_id
from gateway.routing.settings import ForwardedForMode, LoadBalancerSettings

NOW = 0x65000000
ROOT = b"Root=1-65000000-"


def lines(
    received: bytes | None,
    peer: str,
    *,
    mode: ForwardedForMode = ForwardedForMode.APPEND,
    port: bool = False,
) -> bytes:
    """The X-Forwarded-For headers that a target gets."""
    attributes = LoadBalancerSettings(
        "Balancer", 60, 3600, forwarded_for=mode, forwarded_for_port=port
    )
    header = b"" if received is None else b"X-Forwarded-For: " + received + b"\r\n"
    request = HeadReader().read(b"GET / HTTP/1.1\r\nHost: a\r\n" + header + b"\r\n")
    sent = ForwardedHeaders(attributes, peer, 1234, 8080, None).lines(request)
    rest = b"X-Forwarded-Proto: http\r\nX-Forwarded-Port: 8080\r\n"
    assert sent.endswith(rest)
    return sent.removesuffix(rest)


@pytest.mark.parametrize(
    ("received", "peer", "sent"),
    [
        (None, "192.0.2.1", b"192.0.2.1"),
        (b"203.0.113.7", "192.0.2.1", b"203.0.113.7, 192.0.2.1"),
        (b"a, b", "192.0.2.1", b"a, b, 192.0.2.1"),
        (None, "2001:db8::1", b"2001:db8::1"),
        (b"203.0.113.7", "2001:db8::1", b"203.0.113.7, [2001:db8::1]"),
        (b"", "192.0.2.1", b"192.0.2.1"),
    ],
)
def test_the_peer_is_appended_to_x_forwarded_for(
    received: bytes | None, peer: str, sent: bytes
) -> None:
    assert lines(received, peer) == b"X-Forwarded-For: " + sent + b"\r\n"


@pytest.mark.parametrize(
    ("received", "peer", "sent"),
    [
        (None, "192.0.2.1", b"192.0.2.1:1234"),
        (b"203.0.113.7", "192.0.2.1", b"203.0.113.7, 192.0.2.1:1234"),
        (None, "2001:db8::1", b"[2001:db8::1]:1234"),
        (b"203.0.113.7", "2001:db8::1", b"203.0.113.7, [2001:db8::1]:1234"),
    ],
)
def test_the_clients_port_is_appended_when_the_attribute_says_so(
    received: bytes | None, peer: str, sent: bytes
) -> None:
    assert lines(received, peer, port=True) == b"X-Forwarded-For: " + sent + b"\r\n"


@pytest.mark.parametrize("port", [False, True])
def test_x_forwarded_for_is_preserved_or_removed_when_the_attribute_says_so(port: bool) -> None:
    peer = "192.0.2.1"
    preserve, remove = ForwardedForMode.PRESERVE, ForwardedForMode.REMOVE
    kept = lines(b"a, b", peer, mode=preserve, port=port)
    assert kept == b"X-Forwarded-For: a, b\r\n"
    assert lines(None, peer, mode=preserve, port=port) == b""
    assert lines(b"a, b", peer, mode=remove, port=port) == b""
    assert lines(None, peer, mode=remove, port=port) == b""


@pytest.mark.parametrize(
    ("host", "port", "line"),
    [
        (b"Example.COM", 80, b"Host: example.com\r\n"),
        (b"example.com:8080", 80, b"Host: example.com\r\n"),
        (b"example.com", 8080, b"Host: example.com:8080\r\n"),
        (b"example.com:8080", 8080, b"Host: example.com:8080\r\n"),
        (b"example.com:99", 8080, b"Host: example.com:8080\r\n"),
        (b"example.com:", 8080, b"Host: example.com:8080\r\n"),
        (b"[2001:DB8::1]:99", 8080, b"Host: [2001:db8::1]:8080\r\n"),
        (b"a_b", 80, b"Host: a_b\r\n"),
    ],
)
def test_host_is_lower_case_and_has_the_listeners_port_unless_it_is_the_default(
    host: bytes, port: int, line: bytes
) -> None:
    assert host_line(host, port) == line


def test_a_request_without_trace_id_gets_a_root() -> None:
    made = trace_id(None, NOW, Random(1))
    assert made.startswith(ROOT)
    assert len(made) == len(ROOT) + 24
    assert made != trace_id(None, NOW, Random(2))


def test_root_is_kept_and_self_is_added_before_it() -> None:
    made = trace_id(b"Root=1-1-1;CalledFrom=app", NOW, Random(1))
    own, _, rest = made.partition(b";")
    assert own.startswith(b"Self=1-65000000-")
    assert rest == b"Root=1-1-1;CalledFrom=app"


def test_self_of_an_earlier_hop_is_replaced() -> None:
    made = trace_id(b"Self=1-2-2;Root=1-1-1;x=y", NOW, Random(1))
    own, _, rest = made.partition(b";")
    assert own.startswith(b"Self=1-65000000-")
    assert rest == b"Root=1-1-1;x=y"


def test_a_trace_id_without_root_gets_one() -> None:
    assert trace_id(b"x=y", NOW, Random(1)).startswith(ROOT)
    assert trace_id(b"x=y", NOW, Random(1)).endswith(b";x=y")


def test_a_trace_id_over_7k_is_replaced_by_a_root() -> None:
    made = trace_id(b"Root=1-1-1;x=" + b"y" * 7200, NOW, Random(1))
    assert made.startswith(ROOT)
    assert len(made) < 100
