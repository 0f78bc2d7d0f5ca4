"""Reads a request's head and checks whether the request can be routed.

Limits: "Quotas for your Application Load Balancers": request line 16K, header 16K, headers 64K.
AWS lists headers that are too large under 400, and a URL or query that is too large under 414.
"""

from typing import Final

from gateway.http1.desync import DesyncMode, DesyncReason, Finding, Tier, Verdict, verdict
from gateway.http1.lenient_head import read_leniently
from gateway.http1.request import Request
from gateway.http1.request_headers import has_valid_name
from gateway.http1.strict_head import StrictHead

MAX_REQUEST_LINE: Final = 16 * 1024
MAX_HEADER: Final = 16 * 1024
MAX_HEADERS: Final = 64 * 1024
MAX_FORWARDED_ADDRESSES: Final = 30

_EXEMPT: Final = b"cookie:"
"""Only the limit for all headers together applies to a Cookie header."""


class HeadReader:
    """Reads heads for one connection. ``source`` is the client's IP address."""

    __slots__ = ("_drop_invalid", "_mode", "_source", "_strict")

    def __init__(
        self,
        mode: DesyncMode = DesyncMode.DEFENSIVE,
        *,
        drop_invalid: bool = False,
        source: str = "",
    ) -> None:
        self._mode = mode
        self._drop_invalid = drop_invalid
        self._source = source
        self._strict = StrictHead()

    def read(self, head: bytes) -> Request:
        """The request in ``head``, which ends with its first empty line."""
        return self.read_plain(head) or self._checked(read_leniently(head), head)

    def read_plain(self, head: bytes) -> Request | None:
        """The request in ``head``; None unless it is a single head that is plainly well-formed."""
        request = self._strict.read(head)
        return None if request is None else self._checked(request, head)

    def _checked(self, request: Request, head: bytes) -> Request:
        request.head = head
        request.head_size = len(head)
        request.source = self._source
        if request.finding is not None:
            self._judge(request, request.finding)
        if len(head) > MAX_HEADER:
            _check_sizes(request)
        if request.invalid_names and self._drop_invalid:
            # A continuation line has no valid name of its own.
            request.lines = [
                line[: line.index(b"\n") + 1] for line in request.lines if has_valid_name(line)
            ]
        _complete(request)
        return request

    def refused(self, head: bytes, status: int) -> Request:
        """A request that could not be read, for the log and the answer."""
        request = Request()
        request.head_size = len(head)
        request.source = self._source
        request.refuse(status)
        return request

    def no_request(self, head: bytes) -> Request:
        """A refused request, for bytes that do not begin like one."""
        request = self.refused(head, 400)
        request.finding = Finding(Tier.Severe, DesyncReason.BAD_METHOD)
        return request

    def _judge(self, request: Request, finding: Finding) -> None:
        decided = verdict(self._mode, finding.tier)
        if decided is Verdict.ALLOW:
            return
        request.close_after = True
        if decided is Verdict.REFUSE and request.refusal != _VERSION_NOT_SUPPORTED:
            request.refusal = 400


_VERSION_NOT_SUPPORTED: Final = 505


def _check_sizes(request: Request) -> None:
    head = request.head
    line_end = head.find(b"\n") + 1
    if line_end > MAX_REQUEST_LINE:
        request.refuse(414)
    if len(head) - line_end > MAX_HEADERS:
        request.refuse(400)
    for line in head[line_end:].split(b"\n"):
        if len(line) >= MAX_HEADER and line[: len(_EXEMPT)].lower() != _EXEMPT:
            request.refuse(400)


def _complete(request: Request) -> None:
    """Checks the head as a whole, and sets the attributes that depend on several headers."""
    request.head_complete = True
    request.keep_alive = not request.http10
    if request.connection is not None:
        _read_connection(request, request.connection)
    if request.target[:1] != b"/":
        _complete_target(request)
    if request.host is None and request.authority is None and not request.http10:
        request.refuse(400)
    if request.method == b"TRACE":
        request.refuse(405)
    elif request.method == b"CONNECT":
        # What follows a CONNECT is not HTTP.
        request.close_after = True
        request.refuse(405)
    if request.forwarded_for is not None:
        addresses = request.forwarded_for.count(b",") + 1
        if addresses > MAX_FORWARDED_ADDRESSES:
            request.refuse(463)
    if request.close_after or request.refusal in _END_OF_CONNECTION:
        request.keep_alive = False


_END_OF_CONNECTION: Final = frozenset({400, 414, 501, 505})
"""After these it is unknown or uncertain where the next request begins."""


def _read_connection(request: Request, connection: bytes) -> None:
    """Removes the headers that Connection names (RFC 9110, section 7.6.1)."""
    names = {name.strip().lower() for name in connection.split(b",")}
    if b"close" in names:
        request.keep_alive = False
    elif b"keep-alive" in names:
        request.keep_alive = True
    if b"upgrade" in names and request.upgrade is not None:
        request.websocket = (
            request.upgrade.strip().lower() == b"websocket"
            and request.method == b"GET"
            and not request.http10
            and not request.has_body
        )
    names -= _NOT_HEADERS
    if names:
        request.lines = [
            line for line in request.lines if line.partition(b":")[0].rstrip().lower() not in names
        ]


_NOT_HEADERS: Final = frozenset({b"close", b"keep-alive", b"upgrade", b""})


def _complete_target(request: Request) -> None:
    scheme, separator, rest = request.target.partition(b"://")
    if separator and scheme.lower() in (b"http", b"https"):
        end = min((at for at in map(rest.find, (b"/", b"?", b"#")) if at >= 0), default=len(rest))
        request.authority, target = rest[:end], rest[end:]
        request.target = target if target[:1] == b"/" else b"/" + target
    elif request.method != b"CONNECT" and request.target != b"*":
        request.refuse(400)
