"""Converts a target's bytes to responses, without acting on them."""

from collections.abc import Callable
from typing import Final

import httptools

from gateway.http1.hop_by_hop import HOP_BY_HOP
from gateway.http1.plain_head import PlainHeads
from gateway.http1.response import Response

MAX_HEADERS: Final = 32 * 1024
"""Response headers over 32K are answered with 502 (AWS: "HTTP 502: Bad gateway")."""


class MalformedResponseError(Exception):
    """The response is not HTTP/1, or is ambiguous."""


class ResponseReader:
    """Reads the responses of one connection, one at a time.

    ``start`` describes the request; then ``feed`` fills in ``response``. Informational (1xx)
    responses are skipped. After any failure the connection must not be used again.
    """

    __slots__ = (
        "_append",
        "_head_request",
        "_left",
        "_overhead",
        "_parser",
        "_plain",
        "_reason",
        "_skipping",
        "_surplus",
        "_untouched",
        "_upgrade",
        "beyond",
        "response",
    )

    def __init__(self) -> None:
        self.response = Response()
        self._begin_parsing()
        self._plain = PlainHeads()
        self._untouched = True
        self._left = 0
        """Missing bytes of a body that the parser does not see."""
        self._head_request = False
        self._skipping = False
        self._surplus = False
        self._upgrade = False
        self.beyond = b""
        """After a 101: the bytes that arrived with it and are not HTTP."""
        self._parser = httptools.HttpResponseParser(self)

    def start(self, *, head_request: bool, upgrade: bool = False) -> None:
        """Call this when a request was sent. ``head_request``: it was HEAD, whose response has no
        body. ``upgrade``: the response may be 101."""
        self._upgrade = upgrade
        if self._head_request:
            # The parser cannot be told that a response to HEAD has no body, and still waits for
            # one.
            self._parser = httptools.HttpResponseParser(self)
        self.response = Response()
        self._untouched = True
        self._left = 0
        self._head_request = head_request

    def feed(self, data: bytes) -> None:
        """Reads the next bytes. Raises MalformedResponseError."""
        if self._left:
            self._take_body(data, 0)
            return
        if self._untouched:
            self._untouched = False
            if not self._head_request and not self._upgrade:
                response = self.response
                body_start = self._plain.read(data, response)
                if body_start:
                    self._left = response.content_length
                    self._take_body(data, body_start)
                    return
            self._begin_parsing()
        elif self.response.complete:
            self.response.keep_alive = False
            return
        self._parse(data)

    def _take_body(self, data: bytes, start: int) -> None:
        response, left = self.response, self._left
        received = len(data) - start
        if received < left:
            self._left = left - received
        else:
            self._left = 0
            response.complete = True
            if received > left:
                response.keep_alive = False
        if left and received:
            response.body.append(data[start : start + left])

    def _begin_parsing(self) -> None:
        self._append = self.response.lines.append
        self._reason = b""
        self._overhead = 0

    def _parse(self, data: bytes) -> None:
        self._overhead += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.response.status != 101:
                raise MalformedResponseError("an upgrade that was not requested") from None
            self.beyond = bytes(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            if self.response.complete:
                self._surplus = True
            elif isinstance(error.__context__, MalformedResponseError):
                raise error.__context__ from None
            else:
                raise MalformedResponseError(str(error)) from None
        if self._surplus:
            self.response.keep_alive = False
        if self._overhead > MAX_HEADERS:
            # The parser buffers a header until its end, and does not limit chunk framing.
            raise MalformedResponseError("headers or chunk framing over 32K")

    def end_of_stream(self) -> bool:
        """Call this at an orderly end of the connection. Returns whether it completes the
        response."""
        response = self.response
        if response.until_close and not response.complete:
            response.complete = True
        return response.complete

    # The parser calls the following methods.

    def on_message_begin(self) -> None:
        """Called at the first byte."""
        if self.response.complete:
            self._surplus = True
        self._skipping = False

    def on_status(self, reason: bytes) -> None:
        """Called with a piece of the reason phrase."""
        if not self.response.head_complete:
            self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called with a header, or with a trailer, which is dropped."""
        response = self.response
        if response.head_complete:
            return
        special = _SPECIAL.get(name.lower())
        if special is None:
            self._append(name + b": " + value + b"\r\n")
        else:
            special(response, name, value)

    def on_headers_complete(self) -> None:
        """Called at the end of a head."""
        response = self.response
        if response.complete:
            return
        status = response.status = self._parser.get_status_code()
        if status == 101 and self._upgrade:
            if response.upgrade.strip().lower() != b"websocket":
                # RFC 9110, section 7.8: only to a protocol that the client offered.
                raise MalformedResponseError("a switch to another protocol than WebSocket")
            response.head_complete = True
            response.status_line = b"HTTP/1.1 101 %b\r\n" % self._reason
            return
        if status < 200:
            if status == 101 or status < 100 or response.has_content_length or response.chunked:
                raise MalformedResponseError(f"status {status}")
            self._skipping = True
            self.response = Response()
            self._begin_parsing()
            return
        if sum(map(len, response.lines)) > MAX_HEADERS:
            raise MalformedResponseError("headers over 32K")
        response.head_complete = True
        response.status_line = b"HTTP/1.1 %d %b\r\n" % (status, self._reason)
        response.keep_alive = self._parser.should_keep_alive()
        if response.connection is not None:
            _drop_nominated(response)
        if status == 204 or status == 304 or self._head_request:
            if status == 204 and response.has_content_length:
                # RFC 9110, section 8.6: there must not be one.
                response.lines = [
                    line
                    for line in response.lines
                    if not line.lower().startswith(b"content-length:")
                ]
                response.has_content_length = False
            if self._head_request:
                response.complete = True
        elif not response.chunked and not response.has_content_length:
            response.until_close = True
        self._overhead = 0

    def on_chunk_header(self) -> None:
        """Called when a chunk begins."""
        if self.response.complete:
            self._surplus = True

    def on_body(self, body: bytes) -> None:
        """Called with a piece of the body, without chunk framing."""
        if self.response.complete:
            self._surplus = True
            return
        self.response.body.append(body)
        self._overhead = 0

    def on_message_complete(self) -> None:
        """Called at the end of a response."""
        self._overhead = 0
        if self._skipping:
            self._skipping = False
        else:
            self.response.complete = True


def _drop_nominated(response: Response) -> None:
    """Removes the headers that Connection names (RFC 9110, section 7.6.1)."""
    names = {name.strip().lower() for name in (response.connection or b"").split(b",")}
    # The target cannot have framing headers removed.
    names -= {b"close", b"keep-alive", b"upgrade", b"content-length", b""}
    if names:
        _drop_named(response, names)


def _drop_named(response: Response, names: set[bytes]) -> None:
    response.lines[:] = [
        line for line in response.lines if line.partition(b":")[0].lower() not in names
    ]


_PLAIN: Final = frozenset({b"close", b"keep-alive", b"Keep-Alive", b"Close"})
"""Values of Connection that name no header; the parser handles them."""

_Special = Callable[[Response, bytes, bytes], None]


def _content_length(response: Response, name: bytes, value: bytes) -> None:
    response.has_content_length = True
    response.content_length = int(value)
    response.lines.append(name + b": " + value + b"\r\n")


def _transfer_encoding(response: Response, _name: bytes, value: bytes) -> None:
    if response.chunked or value.strip().lower() != b"chunked":
        raise MalformedResponseError("a Transfer-Encoding other than chunked")
    response.chunked = True


def _connection(response: Response, _name: bytes, value: bytes) -> None:
    if value in _PLAIN:
        return
    previous = response.connection
    response.connection = value if previous is None else previous + b"," + value


def _upgrade(response: Response, _name: bytes, value: bytes) -> None:
    response.upgrade = value


def _drop(_response: Response, _name: bytes, _value: bytes) -> None:
    """Hop-by-hop, or replaced by the gateway's own."""


_SPECIAL: Final[dict[bytes, _Special]] = {
    **dict.fromkeys(HOP_BY_HOP, _drop),
    b"connection": _connection,
    b"content-length": _content_length,
    b"date": _drop,
    b"transfer-encoding": _transfer_encoding,
    b"upgrade": _upgrade,
}
