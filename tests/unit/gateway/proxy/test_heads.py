"""The headers that the gateway adds, without a connection."""

import dataclasses

import pytest

from gateway.http1.request import Request
from gateway.http1.request_head import HeadReader
from gateway.proxy.heads import ForwardedHeaders
from gateway.routing.settings import ForwardedForMode
from tests.unit.gateway.support import routing

OTHERS = b"X-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\n"


def request(*received: bytes) -> Request:
    """A request with these `X-Forwarded-For` lines."""
    lines = b"".join(b"X-Forwarded-For: " + value + b"\r\n" for value in received)
    return HeadReader().read(b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")


def sent(mode: ForwardedForMode, *received: bytes) -> bytes:
    """The headers that the target gets for a request from 192.0.2.7."""
    settings = dataclasses.replace(routing().load_balancer, forwarded_for=mode)
    headers = ForwardedHeaders(settings, "192.0.2.7", 40_000, 80, None)
    return headers.lines(request(*received)).removesuffix(OTHERS)


@pytest.mark.parametrize(
    ("mode", "received", "lines"),
    [
        (ForwardedForMode.PRESERVE, (), b""),
        (ForwardedForMode.PRESERVE, (b"1.1.1.1",), b"X-Forwarded-For: 1.1.1.1\r\n"),
        (
            ForwardedForMode.PRESERVE,
            (b"1.1.1.1, 2.2.2.2", b"3.3.3.3"),
            b"X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nX-Forwarded-For: 3.3.3.3\r\n",
        ),
        (ForwardedForMode.REMOVE, (b"1.1.1.1", b"3.3.3.3"), b""),
        (ForwardedForMode.APPEND, (), b"X-Forwarded-For: 192.0.2.7\r\n"),
        (
            ForwardedForMode.APPEND,
            (b"1.1.1.1, 2.2.2.2", b"3.3.3.3"),
            b"X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.7\r\n",
        ),
    ],
)
def test_forwarded_for_in_each_mode(
    mode: ForwardedForMode, received: tuple[bytes, ...], lines: bytes
) -> None:
    assert sent(mode, *received) == lines
