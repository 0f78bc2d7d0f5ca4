"""Converts a client's bytes to requests, without acting on them."""

import re
from collections import deque
from typing import Final

from gateway.http1.desync import DesyncMode
from gateway.http1.repeated_head import RepeatedHead
from gateway.http1.request import Request
from gateway.http1.request_body import Body, ChunkedBody, MalformedBodyError, SizedBody
from gateway.http1.request_head import MAX_HEADERS, MAX_REQUEST_LINE, HeadReader

_EMPTY_LINES: Final = re.compile(rb"(?:\r?\n)*")
_BEGINNING: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]")
_MAX_HEAD: Final = MAX_REQUEST_LINE + MAX_HEADERS


class RequestReader:
    """Reads the requests of one connection. After ``feed``, ``requests`` has those with a complete
    head.

    If the last one's body is incomplete, it is also ``incoming``. After a request that ends the
    connection nothing more is read.
    """

    __slots__ = (
        "_body",
        "_ended",
        "_heads",
        "_partial",
        "_repeated",
        "_rest",
        "incoming",
        "requests",
    )

    def __init__(
        self,
        mode: DesyncMode = DesyncMode.DEFENSIVE,
        *,
        drop_invalid: bool = False,
        source: str = "",
    ) -> None:
        self.requests: deque[Request] = deque()
        self.incoming: Request | None = None
        self._heads = HeadReader(mode, drop_invalid=drop_invalid, source=source)
        self._repeated = RepeatedHead()
        self._body: Body | None = None
        self._partial = b""
        self._ended = False
        self._rest: bytes | None = None
        """The bytes after a WebSocket request; None unless such a request awaits its answer."""

    @property
    def in_head(self) -> bool:
        """Whether a head is incomplete."""
        return bool(self._partial)

    @property
    def expects_more(self) -> bool:
        """Whether a request is, or may be, incomplete."""
        return bool(self._partial) or self.incoming is not None or self._ended

    def abandon(self, status: int) -> Request:
        """Gives up an incomplete head. Returns a request with the status to answer with."""
        head, self._partial = self._partial, b""
        self._ended = True
        return self._heads.refused(head, status)

    def beyond_http(self) -> bytes:
        """Call this after a 101: returns what the client has sent after its request."""
        rest, self._rest = self._rest or b"", None
        self._ended = True
        return rest

    def resume(self) -> None:
        """Call this after an answer other than 101: reads what followed as the next request."""
        rest, self._rest = self._rest, None
        if rest:
            self.feed(rest)

    def feed(self, data: bytes) -> None:
        """Reads the next bytes, at most about 64 KiB."""
        if self._rest is not None:
            self._rest += data
            return
        start = 0
        size = len(data)
        if self._body is None and not self._partial and not self._ended:
            # By far the most common case: one request without a body, and nothing else.
            request = self._repeated.read(data)
            if request is not None:
                self.requests.append(request)
                self._ended = not request.keep_alive
                return
            if size <= MAX_REQUEST_LINE and data.endswith(_END_OF_HEAD):
                request = self._heads.read_plain(data)
                if request is not None:
                    self._repeated.remember(request)
                    self._take(request)
                    return
        while start < size and not self._ended:
            if self._body is not None:
                start = self._feed_body(self._body, data, start)
                continue
            if self._partial:
                data = self._partial + data[start:] if start else self._partial + data
                searched = max(0, len(self._partial) - 3)
                self._partial = b""
                start, size = 0, len(data)
            else:
                searched = start
            if data[start] in _LINE_ENDS:
                found = _EMPTY_LINES.match(data, start)
                skipped = found.end() if found else start
                if skipped > start:
                    # RFC 9112, section 2.2: empty lines before a request are ignored.
                    start = searched = skipped
                    continue
            start = self._feed_head(data, start, searched)

    def _feed_head(self, data: bytes, start: int, searched: int) -> int:
        end = data.find(b"\n\r\n", searched) + 3
        bare = data.find(b"\n\n", searched, end if end > 2 else len(data)) + 2
        if bare > 1:
            end = bare
        if end <= 2:
            self._wait_for_more(data[start:])
            return len(data)
        head = data if start == 0 and end == len(data) else data[start:end]
        if end - start > _MAX_HEAD:
            self._end_with(self._heads.refused(head[:_MAX_HEAD], 400))
            return len(data)
        self._take(self._heads.read(head))
        if self._rest is not None:
            self._rest = data[end:]
            return len(data)
        return end

    def _take(self, request: Request) -> None:
        self.requests.append(request)
        if request.refusal and not request.keep_alive:
            self._ended = True
        elif request.chunked:
            self._begin_body(request, ChunkedBody())
        elif request.content_length:
            self._begin_body(request, SizedBody(request.content_length))
        else:
            request.complete = True
            self._ended = not request.keep_alive
            if request.websocket:
                # What follows may not be HTTP.
                self._rest = b""

    def _wait_for_more(self, partial: bytes) -> None:
        if partial[:1] != b"\r" and not _BEGINNING.match(partial):
            self._end_with(self._heads.no_request(partial))
        elif len(partial) > _MAX_HEAD:
            self._end_with(self._heads.refused(partial, 400))
        elif len(partial) > MAX_REQUEST_LINE and b"\n" not in partial[:MAX_REQUEST_LINE]:
            self._end_with(self._heads.refused(partial, 414))
        else:
            self._partial = partial

    def _end_with(self, request: Request) -> None:
        self._ended = True
        self.requests.append(request)

    def _begin_body(self, request: Request, body: Body) -> None:
        self.incoming = request
        self._body = body

    def _feed_body(self, body: Body, data: bytes, start: int) -> int:
        request = self.incoming
        assert request is not None  # noqa: S101 - a body is that of a request
        before = len(request.body)
        try:
            end = body.take(data, start, request.body)
        except MalformedBodyError:
            self._ended = True
            self.incoming = None
            request.keep_alive = False
            request.refuse(400)
            return len(data)
        request.body_size += sum(map(len, request.body[before:]))
        if body.complete:
            request.complete = True
            self.incoming = None
            self._body = None
            self._ended = not request.keep_alive
        return end


_LINE_ENDS: Final = b"\r\n"
_END_OF_HEAD: Final = b"\r\n\r\n"
