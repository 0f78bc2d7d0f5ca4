"""Headers that the gateway writes, one rule at a time."""

from random import Random

import pytest

from gateway.forwarding import forwarded_lines, host_line, trace_id

NOW = 0x65000000
ROOT = b"Root=1-65000000-"


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
    lines = forwarded_lines(received, peer, 8080)
    assert lines == (
        b"X-Forwarded-For: " + sent + b"\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 8080\r\n"
    )


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


def test_a_root_is_kept_and_this_hop_is_put_before_it() -> None:
    made = trace_id(b"Root=1-1-1;CalledFrom=app", NOW, Random(1))
    own, _, rest = made.partition(b";")
    assert own.startswith(b"Self=1-65000000-")
    assert rest == b"Root=1-1-1;CalledFrom=app"


def test_a_self_of_an_earlier_hop_is_replaced_in_its_place() -> None:
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
