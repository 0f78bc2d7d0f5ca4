"""From a client's bytes to requests, without acting on them.

``httptools`` parses; what it lets through but may be read in two ways is refused here (400).
Limits: "Quotas for your Application Load Balancers": request line 16K, header 16K, headers 64K.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import httptools

from gateway.paths import normalise

MAX_REQUEST_LINE: Final = 16 * 1024
MAX_HEADER: Final = 16 * 1024
MAX_HEADERS: Final = 64 * 1024
MAX_FORWARDED_ADDRESSES: Final = 30

_TRANSFER_CODINGS: Final = frozenset({b"chunked", b"compress", b"deflate", b"gzip", b"identity"})


class Request:
    """One request as it was received. Headers are in ``lines``, each ending in CRLF, in their
    order and with their case, without those that the gateway itself decides on.

    The defaults are on the class, because most requests leave most of them alone.
    """

    method: bytes = b""
    target: bytes = b""
    """As the client wrote it; in origin form after ``complete_head``."""
    path: bytes = b""
    """The normalised path, which rules are matched against."""
    http10: bool = False
    keep_alive: bool = False
    head_complete: bool = False
    complete: bool = False
    """The whole body was received."""
    refusal: int = 0
    """The status to answer with instead of routing; 0 when the request is fine."""

    host: bytes | None = None
    authority: bytes | None = None
    """The host of a request target in absolute form, which wins over ``host`` (RFC 9112, 3.2.2)."""
    content_length: int | None = None
    transfer_encoding: bytes | None = None
    forwarded_for: bytes | None = None
    trace_id: bytes | None = None
    user_agent: bytes = b""
    connection: bytes | None = None
    expects_continue: bool = False

    head_size: int = 0
    """Bytes of the request line and headers, as they would be written with single spaces."""
    body_size: int = 0

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.body: list[bytes] = []
        """Body bytes that were received and not yet taken by whoever handles the request."""

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head, be it empty."""
        return self.transfer_encoding is not None or bool(self.content_length)

    def refuse(self, status: int) -> None:
        """Makes the first reason the answer."""
        self.refusal = self.refusal or status


class RequestReader:
    """The requests of one connection. After ``feed`` they stand in ``requests``, heads complete.

    The last of them may still be receiving its body; ``incoming`` is the one that bytes are added
    to. After a refusal of the parser nothing more is read: ``broken``.
    """

    __slots__ = ("_overhead", "_parser", "_resumed", "broken", "incoming", "requests")

    def __init__(self) -> None:
        self.requests: deque[Request] = deque()
        self.incoming: Request | None = None
        self.broken = False
        self._overhead = 0
        self._resumed = False
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes | memoryview) -> None:
        """Takes the next bytes, of which there are at most some 64 KiB."""
        if self.broken:
            return
        self._overhead += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_after_upgrade(memoryview(data)[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self._break()
            return
        incoming = self.incoming
        if incoming is None:
            self._overhead = 0
        elif self._overhead > MAX_REQUEST_LINE + MAX_HEADERS:
            # The parser holds on to a header until its end, and body framing has no limit in it.
            self._break()

    def _break(self) -> None:
        self.broken = True
        incoming = self.incoming
        if incoming is None:
            # Bytes after a request that closes the connection: nobody will read them.
            if self.requests and not self.requests[-1].keep_alive:
                return
            incoming = Request()
        incoming.refuse(400)
        incoming.keep_alive = False
        self.incoming = None
        if not incoming.head_complete:
            self.requests.append(incoming)

    def _go_on_after_upgrade(self, rest: memoryview) -> None:
        """Reads on as if the client had not asked for an upgrade.

        The parser takes what follows for another protocol, body included. A fresh one is given a
        head that has the request's framing only.
        """
        self._parser = httptools.HttpRequestParser(self)
        incoming = self.incoming
        if incoming is not None:
            self._resumed = True
            framing = (
                b"Transfer-Encoding: chunked"
                if incoming.transfer_encoding is not None
                else b"Content-Length: %d" % (incoming.content_length or 0)
            )
            self._parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")
            self._resumed = False
        if rest:
            self.feed(rest)

    # What follows is called by the parser.

    def on_message_begin(self) -> None:
        """A first byte."""
        if not self._resumed:
            self.incoming = Request()

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        incoming = self.incoming
        if incoming is not None and not self._resumed:
            incoming.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which is dropped (RFC 9110, section 6.5.1 allows it)."""
        request = self.incoming
        if request is None or request.head_complete:
            return
        size = len(name) + len(value) + 4
        request.head_size += size
        if size > MAX_HEADER:
            request.refuse(400)
        special = _SPECIAL.get(name.lower())
        if special is None:
            request.lines.append(name + b": " + value + b"\r\n")
        else:
            special(request, name, value)

    def on_headers_complete(self) -> None:
        """The end of the head."""
        request = self.incoming
        if request is None or self._resumed:
            return
        parser = self._parser
        request.method = parser.get_method()
        request.keep_alive = parser.should_keep_alive()
        version = parser.get_http_version()
        if version != "1.1":
            request.http10 = True
            if version != "1.0":
                request.refuse(400)
        complete_head(request)
        self.requests.append(request)
        self._overhead = 0

    def on_body(self, body: bytes) -> None:
        """A piece of the body, without chunk framing."""
        request = self.incoming
        if request is not None:
            request.body.append(body)
            request.body_size += len(body)
            self._overhead = 0

    def on_message_complete(self) -> None:
        """The end of the request."""
        request = self.incoming
        if request is None or self._resumed:
            return
        if request.has_body and self._parser.should_upgrade():
            return
        request.complete = True
        self.incoming = None


def complete_head(request: Request) -> None:
    """Checks the head as a whole, and fills in what follows from several of its parts."""
    request.head_complete = True
    method, target = request.method, request.target
    line = len(method) + len(target) + 12
    if line > MAX_REQUEST_LINE or request.head_size > MAX_HEADERS:
        request.refuse(400)
    request.head_size += line + 2
    if target[:1] != b"/":
        _complete_target(request)
    if request.host is None and request.authority is None and not request.http10:
        request.refuse(400)
    if request.transfer_encoding is not None:
        _check_transfer_encoding(request)
    if method == b"TRACE":
        request.refuse(405)
    elif method == b"CONNECT":
        # What follows a CONNECT is not for us to read.
        request.keep_alive = False
        request.refuse(405)
    if request.forwarded_for is not None:
        addresses = request.forwarded_for.split(b",")
        if len(addresses) > MAX_FORWARDED_ADDRESSES:
            request.refuse(463)
    request.path = normalise(request.target)
    if request.connection is not None:
        _drop_nominated(request)


def _complete_target(request: Request) -> None:
    scheme, separator, rest = request.target.partition(b"://")
    if separator and scheme.lower() in (b"http", b"https"):
        end = min((at for at in map(rest.find, (b"/", b"?", b"#")) if at >= 0), default=len(rest))
        request.authority, target = rest[:end], rest[end:]
        request.target = target if target[:1] == b"/" else b"/" + target
    elif request.method != b"CONNECT" and request.target != b"*":
        request.refuse(400)


def _check_transfer_encoding(request: Request) -> None:
    coding = (request.transfer_encoding or b"").strip().lower()
    if request.http10 or request.content_length is not None:
        request.refuse(400)
    elif coding != b"chunked":
        known = all(part.strip() in _TRANSFER_CODINGS for part in coding.split(b","))
        request.refuse(501 if known else 400)


def _drop_nominated(request: Request) -> None:
    """Removes the headers that Connection names (RFC 9110, section 7.6.1)."""
    names = {name.strip().lower() for name in (request.connection or b"").split(b",")}
    names -= {b"close", b"keep-alive", b"upgrade", b""}
    if names:
        request.lines = [
            line for line in request.lines if line.partition(b":")[0].lower() not in names
        ]


_PLAIN: Final = frozenset({b"close", b"keep-alive", b"Keep-Alive", b"Close"})
"""Values of Connection that name no header; the parser looks at them itself."""

_Special = Callable[[Request, bytes, bytes], None]


def _host(request: Request, _name: bytes, value: bytes) -> None:
    # Several: the first counts (AWS: "Host conditions"), and the target gets only that one.
    if request.host is None:
        request.host = value.strip()


def _content_length(request: Request, _name: bytes, value: bytes) -> None:
    if request.content_length is not None:
        request.refuse(400)
    request.content_length = int(value)


def _transfer_encoding(request: Request, _name: bytes, value: bytes) -> None:
    previous = request.transfer_encoding
    request.transfer_encoding = value if previous is None else previous + b"," + value


def _forwarded_for(request: Request, _name: bytes, value: bytes) -> None:
    previous = request.forwarded_for
    value = value.strip()
    request.forwarded_for = value if previous is None else previous + b", " + value


def _trace_id(request: Request, _name: bytes, value: bytes) -> None:
    if request.trace_id is None:
        request.trace_id = value.strip()


def _user_agent(request: Request, name: bytes, value: bytes) -> None:
    request.user_agent = value
    request.lines.append(name + b": " + value + b"\r\n")


def _connection(request: Request, _name: bytes, value: bytes) -> None:
    if value in _PLAIN:
        return
    previous = request.connection
    request.connection = value if previous is None else previous + b"," + value


def _expect(request: Request, name: bytes, value: bytes) -> None:
    if value.strip().lower() == b"100-continue":
        request.expects_continue = True
    else:
        request.lines.append(name + b": " + value + b"\r\n")


def _look_alike(request: Request, _name: bytes, _value: bytes) -> None:
    """``Content_Length``: a target that folds _ into - would see another body than we do."""
    request.refuse(400)


def _drop(request: Request, name: bytes, value: bytes) -> None:
    """Hop-by-hop, or replaced by the gateway's own."""


_SPECIAL: Final[dict[bytes, _Special]] = {
    b"connection": _connection,
    b"content-length": _content_length,
    b"content_length": _look_alike,
    b"expect": _expect,
    b"host": _host,
    b"keep-alive": _drop,
    b"proxy-connection": _drop,
    b"te": _drop,
    b"trailer": _drop,
    b"transfer-encoding": _transfer_encoding,
    b"transfer_encoding": _look_alike,
    b"upgrade": _drop,
    b"user-agent": _user_agent,
    b"x-amzn-trace-id": _trace_id,
    b"x-forwarded-for": _forwarded_for,
    b"x-forwarded-port": _drop,
    b"x-forwarded-proto": _drop,
}
