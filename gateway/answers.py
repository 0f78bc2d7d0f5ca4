"""What the load balancer itself answers, byte for byte as an ALB does.

The bodies follow one model that fits every answer of an ALB whose length is known; the titles of
401, 405, 408, 501 and 504 are derived from it rather than seen.
"""

from email.utils import formatdate
from typing import Final

from gateway.clock import Clock
from gateway.rules import FixedResponse

_TITLES: Final = {
    400: "400 Bad Request",
    405: "405 Not Allowed",
    408: "408 Request Time-out",
    501: "501 Not Implemented",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}
_REASONS: Final = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class DateHeader:
    """The ``Date`` header, made anew once a second at most."""

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


def own_answer(status: int, date: bytes, *, keep_alive: bool, head_request: bool) -> bytes:
    """The answer with ``status``. Statuses without a known text (463) have an empty body.

    The space after a status without reason phrase belongs there (RFC 9112, section 4).
    """
    title = _TITLES.get(status)
    if title is None:
        return _assemble(f"{status} ", date, "text/html", b"", keep_alive, head_request)
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    ).encode()
    return _assemble(title, date, "text/html", body, keep_alive, head_request)


def fixed_response(
    action: FixedResponse, date: bytes, *, keep_alive: bool, head_request: bool
) -> bytes:
    """The answer of a fixed-response action."""
    reason = _REASONS.get(action.status, "")
    return _assemble(
        f"{action.status} {reason}",
        date,
        f"{action.content_type}; charset=utf-8",
        action.body,
        keep_alive,
        head_request,
    )


def _assemble(
    status: str,
    date: bytes,
    content_type: str,
    body: bytes,
    keep_alive: bool,
    head_request: bool,
) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nServer: awselb/2.0\r\n".encode()
        + date
        + f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n".encode()
        + (b"Connection: keep-alive\r\n\r\n" if keep_alive else b"Connection: close\r\n\r\n")
    )
    return head if head_request else head + body
