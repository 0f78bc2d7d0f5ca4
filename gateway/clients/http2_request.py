"""Converts HTTP/2 header fields to a request."""

import re
from collections.abc import Iterable
from typing import Final

from gateway.http1.desync import DesyncMode
from gateway.http1.request import Request
from gateway.http1.request_head import HeadReader
from gateway.http1.request_headers import framing_lookalike

_VALID_NAME: Final = re.compile(rb"[-0-9a-z]+")
_DEFAULT_PORT: Final = b":443"
_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET: Final = re.compile(rb"[!-~\x80-\xff]+")


class Http2Requests:
    """Reads requests of one connection. ``source`` is the client's IP address."""

    def __init__(self) -> None:
        # Frames determine the length of a request, so there is no desynchronisation.
        self._heads = HeadReader(DesyncMode.MONITOR)
        self.source = ""

    def read(self, fields: Iterable[tuple[bytes, bytes]], *, ended: bool) -> Request | None:
        """The request; None if it is malformed (RFC 9113, 8.1.1, 8.2 and 8.3). For most malformed
        requests, the library has already reset the stream.

        Fields whose names do not consist of letters, digits and hyphens are dropped: "Elastic Load
        Balancing requires that message header names contain only alphanumeric characters and
        hyphens", says AWS about the attribute ``routing.http2.enabled``, but not what happens to
        others. Fields that a target may mistake for framing headers are dropped as well.

        ``ended`` says that no body follows.
        """
        pseudo: dict[bytes, bytes] = {}
        lines: list[bytes] = []
        cookies: list[bytes] = []
        host: bytes | None = None
        for name, value in fields:
            if name.startswith(b":"):
                pseudo[name] = value
            elif name == b"host":
                host = value
            elif name == b"cookie":
                cookies.append(value)
            elif _may_pass(name):
                lines.append(name + b": " + value.strip(b" \t") + b"\r\n")
        if cookies:
            # RFC 9113, section 8.2.3.
            lines.append(b"cookie: " + b"; ".join(cookies) + b"\r\n")
        method, target = pseudo.get(b":method", b""), pseudo.get(b":path", b"")
        if method == b"CONNECT":
            target = target or b"/"
        if not _TOKEN.fullmatch(method) or not _TARGET.fullmatch(target):
            return None
        if target[:1] != b"/" and target != b"*":
            return None
        authority = pseudo.get(b":authority")
        if authority is None:
            authority = host
        elif host is not None and _without_default(host) != _without_default(authority):
            return None
        if authority is not None:
            lines.insert(0, b"host: " + authority + b"\r\n")
        head = b"".join((method, b" ", target, b" HTTP/1.1\r\n", *lines, b"\r\n"))
        request = self._heads.read(head)
        if ended and request.content_length:
            # The target would wait for that many bytes, and read them from the next request.
            return None
        return self._finish(request, ended=ended)

    def _finish(self, request: Request, *, ended: bool) -> Request:
        request.source = self.source
        request.version = "HTTP/2.0"
        request.finding = None
        request.close_after = False
        request.keep_alive = True
        request.complete = ended
        request.chunked = not ended and request.content_length is None
        return request


def _without_default(authority: bytes) -> bytes:
    """The authority in lower case, without TLS's default port."""
    return authority.lower().removesuffix(_DEFAULT_PORT)


def _may_pass(name: bytes) -> bool:
    if not _VALID_NAME.fullmatch(name):
        return False
    return name == b"content-length" or not framing_lookalike(name)
