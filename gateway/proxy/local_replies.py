"""The load balancer's own answers, byte for byte as those of an ALB.

The bodies follow one pattern, which fits every answer of an ALB whose length is known; the titles
of 401, 405, 408, 414, 500, 501, 504 and 505 are derived from it and were not observed."""

from dataclasses import dataclass, replace
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from gateway.net.clock import Clock
from gateway.routing.rules import FixedResponse

_TITLES: Final = {
    400: "400 Bad Request",
    401: "401 Authorization Required",
    405: "405 Not Allowed",
    408: "408 Request Time-out",
    413: "413 Request Entity Too Large",
    414: "414 Request-URI Too Large",
    500: "500 Internal Server Error",
    501: "501 Not Implemented",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
    505: "505 HTTP Version Not Supported",
}
_WITHOUT_BODY: Final = 204

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class DateHeader:
    """The ``Date`` header, formatted at most once a second."""

    __slots__ = ("_clock", "_line", "_second")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = -1
        self._line = b""

    def line(self) -> bytes:
        """``Date: ...`` with CRLF."""
        second = int(self._clock.wall())
        if second != self._second:
            self._second = second
            self._line = b"Date: " + formatdate(second, usegmt=True).encode() + b"\r\n"
        return self._line


@dataclass(frozen=True, slots=True)
class LocalReply:
    """An answer of the load balancer itself. ``status_line`` and ``lines`` end in CRLF."""

    status: int
    status_line: bytes
    lines: list[bytes]
    body: bytes


def status_reply(status: int, date: bytes) -> LocalReply:
    """The answer with ``status``. Statuses without a known text (463) have an empty body.

    The space after a status without a reason phrase is required (RFC 9112, section 4).
    """
    title = _TITLES.get(status)
    if title is None:
        return _assemble(f"{status} ", date, "text/html", b"")
    return _assemble(title, date, "text/html", _page(title))


def redirect(status: int, location: bytes, date: bytes) -> LocalReply:
    """The answer of a redirect action. ``status`` is 301, or 302, whose status line differs from
    the title in its body."""
    line = {301: "301 Moved Permanently", 302: "302 Moved Temporarily"}[status]
    body = _page({301: line, 302: "302 Found"}[status])
    reply = _assemble(line, date, "text/html", body)
    reply.lines.append(b"Location: " + location + b"\r\n")
    return reply


def fixed_response(action: FixedResponse, date: bytes) -> LocalReply:
    """The answer of a fixed-response action. A 204 has neither body nor length (RFC 9110, 8.6),
    whatever the action says."""
    status = f"{action.status} {_reason(action.status)}"
    reply = _assemble(status, date, f"{action.content_type}; charset=utf-8", action.body)
    if action.status == _WITHOUT_BODY:
        return replace(reply, lines=reply.lines[:2], body=b"")
    return reply


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _page(title: str) -> bytes:
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def _assemble(status: str, date: bytes, content_type: str, body: bytes) -> LocalReply:
    lines = [
        b"Server: awselb/2.0\r\n",
        date,
        f"Content-Type: {content_type}\r\n".encode(),
        b"Content-Length: %d\r\n" % len(body),
    ]
    return LocalReply(int(status[:3]), f"HTTP/1.1 {status}\r\n".encode(), lines, body)
