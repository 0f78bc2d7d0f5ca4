"""One request, as it was received."""

from collections.abc import Iterable

from gateway.http1.desync import Finding
from gateway.http1.hosts import without_port
from gateway.http1.paths import normalise


class Request:
    """Headers are in ``lines``, each ending in CRLF, in their order and with their case, but for
    those that the gateway itself decides on."""

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
        """Request line and headers, to the empty line."""
        self.method = b""
        self.target = b""
        """As the client wrote it; in origin form once the head is complete."""
        self.version = "HTTP/1.1"
        """As the access log writes it."""
        self.http10 = False
        self.keep_alive = False
        self.head_complete = False
        self.complete = False
        """The whole body was received."""
        self.refusal = 0
        """The status to answer with instead of routing; 0 when the request is fine."""
        self.finding: Finding | None = None
        """Why this is no plainly well-formed request; None when it is one."""
        self.unusual = False
        """Something in it has more than one reading, or may have: it has to be classified."""
        self.close_after = False
        """The target's connection must not be used again, because the target may disagree about
        where this request ends."""
        self.invalid_names = False
        """There are header names of other characters than letters, digits and hyphens."""

        self.source = ""
        """The IP address of the client."""
        self.port_in_template = (b"", b"")
        """The end of a host that names the listener's port, and what stands for it with the port
        that the template has."""
        self.host: bytes | None = None
        self.authority: bytes | None = None
        """The host of a request target in absolute form, which wins over ``host`` (RFC 9112,
        section 3.2.2)."""
        self.content_length: int | None = None
        self.chunked = False
        self.forwarded_for: bytes | None = None
        self.trace_id: bytes | None = None
        self.user_agent = b""
        self.connection: bytes | None = None
        self.upgrade: bytes | None = None
        self.websocket = False
        """The client asks to go on with WebSocket (RFC 6455)."""
        self.expects_continue = False

        self.sent_host: bytes | None = None
        """What a transform made of the host; None: nothing."""
        self.sent_target: bytes | None = None
        """Likewise of the request target."""

        self.head_size = 0
        self.body_size = 0
        self._path = b""
        self.lines: list[bytes] = []
        """Each is one header, with the lines that continue it."""
        self.body: list[bytes] = []
        """Body bytes that were received and not yet taken by the exchange."""

    @property
    def path(self) -> bytes:
        """The normalised path, which rules are matched against."""
        if not self._path:
            self._path = normalise(self.target)
        return self._path

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head, be it empty."""
        return self.chunked or bool(self.content_length)

    @property
    def routing_host(self) -> bytes:
        """The host that rules see: without its port."""
        return without_port(self.authority if self.authority is not None else self.host or b"")

    @property
    def host_with_port(self) -> bytes:
        """The host that the rules' regular expressions see: with the port that the client wrote.

        The listener's port is the template's here, wherever the gateway listens; one that clients
        do not write is left out.
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
        """Makes the first reason the answer."""
        self.refusal = self.refusal or status
