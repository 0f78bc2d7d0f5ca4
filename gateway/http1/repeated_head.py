"""A fast path for requests with the same headers, byte for byte, as the client's previous one.

Most clients send the same headers in each request: User-Agent, Accept, the session's cookie. They
are parsed once, strictly, and need not be parsed again.
"""

import re
from typing import Final

from gateway.http1.request import Request
from gateway.http1.request_head import MAX_REQUEST_LINE

_REQUEST_LINE: Final = re.compile(
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[!-~]*) HTTP/1\.1\r\n"
).match


class RepeatedHead:
    """The headers of one connection's last request that was plainly well-formed and had no body."""

    __slots__ = ("_headers", "_request")

    def __init__(self) -> None:
        self._request: Request | None = None
        self._headers = b""

    def remember(self, request: Request) -> None:
        """Remembers the headers of ``request``, if their meaning does not depend on the request
        line."""
        if (
            request.finding is None
            and not request.refusal
            and not request.http10
            and not request.chunked
            and request.content_length is None
            and request.authority is None
            and request.upgrade is None
            and not request.expects_continue
        ):
            self._request = request
            self._headers = request.head[request.head.index(b"\n") + 1 :]

    def read(self, data: bytes) -> Request | None:
        """The request in ``data``; None unless ``data`` is exactly one head with the same
        headers."""
        known = self._request
        if known is None or not data.endswith(self._headers):
            return None
        line = _REQUEST_LINE(data)
        if (
            line is None
            or line.end() + len(self._headers) != len(data)
            or line.end() > MAX_REQUEST_LINE
        ):
            return None
        request = Request()
        request.head = data
        request.head_size = len(data)
        request.method = line[1]
        request.target = line[2]
        request.source = known.source
        request.lines = known.lines
        request.host = known.host
        request.forwarded_for = known.forwarded_for
        request.trace_id = known.trace_id
        request.user_agent = known.user_agent
        request.connection = known.connection
        request.keep_alive = known.keep_alive
        request.invalid_names = known.invalid_names
        request.head_complete = request.complete = True
        return request
