"""Writes the heads of requests to targets and of responses to clients.

Sources: "HTTP headers and Application Load Balancers", "Request tracing for your Application Load
Balancer" and "How Elastic Load Balancing works" of the AWS documentation; RFC 9110 and RFC 9112.
"""

import re
from collections.abc import Sequence
from random import Random
from typing import Final

from gateway.http1.request import Request
from gateway.net.tls import TlsFacts
from gateway.routing.settings import ForwardedForMode, LoadBalancerSettings

_HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]*)?")
_MAX_TRACE_ID: Final = 7 * 1024
_DEFAULT_PORTS: Final = (80, 443)


def host_line(host: bytes, listener_port: int) -> bytes | None:
    """The Host header for the target; None if ``host`` is not a valid host.

    In lower case, and with the listener's port unless that is the protocol's default, whatever the
    client wrote.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    name = found[1].lower()
    if listener_port in _DEFAULT_PORTS:
        return b"Host: " + name + b"\r\n"
    return b"Host: %b:%d\r\n" % (name, listener_port)


class ForwardedHeaders:
    """X-Forwarded-For, -Proto and -Port, and the headers about TLS, for one client's requests.

    In the mode ``append``, an IPv6 address is in brackets only if it is appended to others; with
    ``forwarded_for_port`` it is always in brackets, followed by the port.
    """

    __slots__ = ("_constant", "_mode", "_own", "_peer")

    def __init__(
        self,
        settings: LoadBalancerSettings,
        peer: str,
        peer_port: int,
        listener_port: int,
        tls: TlsFacts | None,
    ) -> None:
        self._mode = settings.forwarded_for
        address = peer.encode()
        bracketed = b"[" + address + b"]" if b":" in address else address
        self._peer = bracketed
        if settings.forwarded_for_port:
            self._peer = address = b"%b:%d" % (bracketed, peer_port)
        self._constant = b"X-Forwarded-Proto: %b\r\nX-Forwarded-Port: %d\r\n" % (
            b"https" if tls else b"http",
            listener_port,
        )
        if tls is not None and settings.tls_headers:
            self._constant += (
                f"X-Amzn-Tls-Version: {tls.protocol}\r\nX-Amzn-Tls-Cipher-Suite: {tls.cipher}\r\n"
            ).encode()
        alone = b"X-Forwarded-For: %b\r\n" % address
        self._own = alone + self._constant if self._append else self._constant

    @property
    def _append(self) -> bool:
        return self._mode is ForwardedForMode.APPEND

    def lines(self, request: Request) -> bytes:
        """The headers for one request."""
        received = request.forwarded_for
        if not received or self._mode is ForwardedForMode.REMOVE:
            return self._own
        if self._append:
            return b"X-Forwarded-For: %b, %b\r\n%b" % (received, self._peer, self._constant)
        received_lines = [
            b"X-Forwarded-For: " + value + b"\r\n"
            for value in request.header_values(b"x-forwarded-for")
        ]
        return b"".join((*received_lines, self._constant))


def trace_id(received: bytes | None, now: float, random: Random) -> bytes:
    """The value of X-Amzn-Trace-Id for the target.

    A request without one gets a Root. A Root is kept, and this hop is added as Self. A value over
    7 KB is replaced. ``now`` is the wall clock.
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
    """The request's head for the target: always HTTP/1.1, on a connection that stays open."""
    if request.chunked:
        end = b"Transfer-Encoding: chunked\r\n\r\n"
    elif request.websocket:
        end = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    elif request.content_length is not None:
        end = b"Content-Length: %d\r\n\r\n" % request.content_length
    else:
        end = b"\r\n"
    return b"".join(
        (
            request.method,
            b" ",
            request.target if request.sent_target is None else request.sent_target,
            b" HTTP/1.1\r\n",
            forwarded,
            host,
            b"X-Amzn-Trace-Id: ",
            trace,
            b"\r\n",
            *request.lines,
            end,
        )
    )


class ResponseHead:
    """The head of an answer to a client, for any version of HTTP.

    ``status_line`` is that of HTTP/1.1. It and ``lines`` end in CRLF and contain nothing about the
    connection. ``chunked`` means that the length is not known in advance, ``upgrade`` that the
    connection switches to WebSocket.
    """

    __slots__ = ("chunked", "keep_alive", "lines", "status", "status_line", "upgrade")

    def __init__(
        self,
        status: int,
        status_line: bytes,
        lines: Sequence[bytes],
        *,
        keep_alive: bool,
        chunked: bool = False,
        upgrade: bool = False,
    ) -> None:
        self.status = status
        self.status_line = status_line
        self.lines = lines
        self.keep_alive = keep_alive
        self.chunked = chunked
        self.upgrade = upgrade


def http1_head(head: ResponseHead, body: Sequence[bytes] = ()) -> bytes:
    """The head in HTTP/1.1, followed by ``body``."""
    if head.upgrade:
        end = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    else:
        end = b"Connection: keep-alive\r\n\r\n" if head.keep_alive else b"Connection: close\r\n\r\n"
        if head.chunked:
            end = b"Transfer-Encoding: chunked\r\n" + end
    return b"".join((head.status_line, *head.lines, end, *body))


def chunk(parts: Sequence[bytes], size: int) -> bytes:
    """The parts, ``size`` bytes in all, as one chunk (RFC 9112, section 7.1)."""
    return b"".join((b"%x\r\n" % size, *parts, b"\r\n"))


LAST_CHUNK: Final = b"0\r\n\r\n"
