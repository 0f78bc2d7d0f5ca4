"""The heads that the gateway writes: towards the target, and back to the client.

Sources: "HTTP headers and Application Load Balancers", "Request tracing for your Application Load
Balancer" and "How Elastic Load Balancing works" of the AWS documentation; RFC 9110 and RFC 9112.
"""

import re
from random import Random
from typing import Final

from gateway.request_reader import Request
from gateway.response_reader import Response

_HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]*)?")
_MAX_TRACE_ID: Final = 7 * 1024
_DEFAULT_PORT: Final = 80


def host_line(host: bytes, listener_port: int) -> bytes | None:
    """The Host header for the target; None when ``host`` is none.

    Lower case; on the default port without a port, else with the listener's, whatever the client
    wrote.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    name = found[1].lower()
    if listener_port == _DEFAULT_PORT:
        return b"Host: " + name + b"\r\n"
    return b"Host: %b:%d\r\n" % (name, listener_port)


def forwarded_lines(forwarded_for: bytes | None, peer: str, listener_port: int) -> bytes:
    """X-Forwarded-For in append mode, X-Forwarded-Proto and X-Forwarded-Port.

    An IPv6 address is bare when alone and in brackets when appended to others.
    """
    address = peer.encode()
    if forwarded_for:
        if b":" in address:
            address = b"[" + address + b"]"
        address = forwarded_for + b", " + address
    return b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: %d\r\n" % (
        address,
        listener_port,
    )


def trace_id(received: bytes | None, now: float, random: Random) -> bytes:
    """The value of X-Amzn-Trace-Id for the target.

    A request without one gets a Root; one with a Root keeps it and gets this hop as Self. A value
    over 7 KB is replaced. ``now`` is the wall clock.
    """
    own = b"1-%08x-%024x" % (int(now) & 0xFFFFFFFF, random.getrandbits(96))
    if not received or len(received) > _MAX_TRACE_ID:
        return b"Root=" + own
    fields = [field for field in received.split(b";") if field]
    names = [field.partition(b"=")[0].strip().lower() for field in fields]
    if b"root" not in names:
        return b"Root=" + own + b";" + received
    if b"self" not in names:
        return b"Self=" + own + b";" + received
    return b";".join(
        b"Self=" + own if name == b"self" else field
        for name, field in zip(names, fields, strict=True)
    )


def request_head(request: Request, forwarded: bytes, host: bytes, trace: bytes) -> bytes:
    """What the target gets before the body. It is always HTTP/1.1, and asks to be kept alive."""
    if request.transfer_encoding is not None:
        framing = b"Transfer-Encoding: chunked\r\n\r\n"
    elif request.content_length is not None:
        framing = b"Content-Length: %d\r\n\r\n" % request.content_length
    else:
        framing = b"\r\n"
    return b"".join(
        (
            request.method,
            b" ",
            request.target,
            b" HTTP/1.1\r\n",
            forwarded,
            host,
            b"X-Amzn-Trace-Id: ",
            trace,
            b"\r\n",
            *request.lines,
            framing,
        )
    )


def response_head(
    response: Response, date: bytes | None, *, keep_alive: bool, chunked: bool
) -> bytes:
    """What the client gets before the body. ``date`` is added when the target sent none."""
    end = (
        (b"Transfer-Encoding: chunked\r\n" if chunked else b"")
        + (date or b"")
        + (b"Connection: keep-alive\r\n\r\n" if keep_alive else b"Connection: close\r\n\r\n")
    )
    return b"".join(
        (
            b"HTTP/1.1 %d " % response.status,
            response.reason,
            b"\r\n",
            *response.lines,
            end,
        )
    )


def chunk(parts: list[bytes], size: int) -> bytes:
    """The parts, ``size`` bytes in all, as one chunk (RFC 9112, section 7.1)."""
    return b"".join((b"%x\r\n" % size, *parts, b"\r\n"))


LAST_CHUNK: Final = b"0\r\n\r\n"
