"""From the header fields of HTTP/2 to a request."""

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
    """Reads them for one connection. ``source`` is the client's IP address."""

    def __init__(self) -> None:
        # How long a request is, frames say: there is nothing to be desynchronised about.
        self._heads = HeadReader(DesyncMode.MONITOR)
        self.source = ""

    def read(self, fields: Iterable[tuple[bytes, bytes]], *, ended: bool) -> Request | None:
        """The request; None when it is malformed (RFC 9113, 8.1.1, 8.2 and 8.3). Most of what is
        malformed does not come here: the library resets the stream.

        Fields whose names are not of letters, digits and hyphens are dropped: "Elastic Load
        Balancing requires that message header names contain only alphanumeric characters and
        hyphens", says AWS of the attribute ``routing.http2.enabled``, and not what becomes of
        others. So is what a target may take for a framing header that it is not.

        ``ended``: no body follows.
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
            # The target would wait for that many bytes, and take them from the next request.
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
    """The same authority in one form; HTTP/2 is spoken over TLS only."""
    return authority.lower().removesuffix(_DEFAULT_PORT)


def _may_pass(name: bytes) -> bool:
    if not _VALID_NAME.fullmatch(name):
        return False
    return name == b"content-length" or not framing_lookalike(name)
