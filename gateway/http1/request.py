"""One request, as it was received."""

from collections.abc import Iterable

from gateway.http1.desync import Finding
from gateway.http1.hosts import without_port
from gateway.http1.paths import normalise


class Request:
    """``lines`` are the headers, each ending in CRLF, in their order and case, except those that
    the gateway sets itself."""

    __slots__ = (
        "_path",
        "authority",
        "body",
        "body_size",
        "chunked",
        "close_after",
        "complete",
        "connection",
        "content_length",
        "expects_continue",
        "finding",
        "forwarded_for",
        "head",
        "head_complete",
        "head_size",
        "host",
        "http10",
        "invalid_names",
        "keep_alive",
        "lines",
        "method",
        "port_in_template",
        "refusal",
        "sent_host",
        "sent_target",
        "source",
        "target",
        "trace_id",
        "unusual",
        "upgrade",
        "user_agent",
        "version",
        "websocket",
    )

    def __init__(self) -> None:
        self.head = b""
        """Request line and headers, up to and including the empty line."""
        self.method = b""
        self.target = b""
        """As the client wrote it; in origin form once the head is complete."""
        self.version = "HTTP/1.1"
        """As the access log writes it."""
        self.http10 = False
        self.keep_alive = False
        self.head_complete = False
        self.complete = False
        """Whether the whole body was received."""
        self.refusal = 0
        """The status to answer with instead of routing; 0 for a valid request."""
        self.finding: Finding | None = None
        """Why this is not a plainly well-formed request; None if it is one."""
        self.unusual = False
        """Whether it may have more than one interpretation, and has to be classified."""
        self.close_after = False
        """Whether the target's connection must not be used again, because the target may disagree
        about where this request ends."""
        self.invalid_names = False
        """Whether header names have characters other than letters, digits and hyphens."""

        self.source = ""
        """The IP address of the client."""
        self.port_in_template = (b"", b"")
        """The end of a host with the actual port, like ``:8080``, and its replacement with the
        template's port."""
        self.host: bytes | None = None
        self.authority: bytes | None = None
        """The host of a request target in absolute form, which has priority over ``host`` (RFC
        9112, section 3.2.2)."""
        self.content_length: int | None = None
        self.chunked = False
        self.forwarded_for: bytes | None = None
        self.trace_id: bytes | None = None
        self.user_agent = b""
        self.connection: bytes | None = None
        self.upgrade: bytes | None = None
        self.websocket = False
        """Whether the client requests WebSocket (RFC 6455)."""
        self.expects_continue = False

        self.sent_host: bytes | None = None
        """The host that a transform has set, or None."""
        self.sent_target: bytes | None = None
        """The request target that a transform has set, or None."""

        self.head_size = 0
        self.body_size = 0
        self._path = b""
        self.lines: list[bytes] = []
        """Each is one header with its continuation lines."""
        self.body: list[bytes] = []
        """Body bytes that the exchange has not taken yet."""

    @property
    def path(self) -> bytes:
        """The normalised path, which rules are matched against."""
        if not self._path:
            self._path = normalise(self.target)
        return self._path

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head, even an empty one."""
        return self.chunked or bool(self.content_length)

    @property
    def routing_host(self) -> bytes:
        """The host for rules, without its port."""
        return without_port(self.authority if self.authority is not None else self.host or b"")

    @property
    def host_with_port(self) -> bytes:
        """The host for regular expressions in rules, with the port that the client wrote.

        The actual port of the listener is replaced by the template's, and left out if clients
        would not write that.
        """
        host = self.authority if self.authority is not None else self.host or b""
        real, in_template = self.port_in_template
        return host.removesuffix(real) + in_template if real and host.endswith(real) else host

    def header_values(self, name: bytes) -> Iterable[bytes]:
        """The values of every header of that name (in lower case), in order."""
        for line in self.head.split(b"\n")[1:]:
            found, colon, value = line.partition(b":")
            if colon and found.lower() == name:
                yield value.strip(b" \t\r")

    def refuse(self, status: int) -> None:
        """Sets the status of the refusal, unless there already is one."""
        self.refusal = self.refusal or status
