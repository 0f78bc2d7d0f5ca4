"""One request, as it was received."""

from collections.abc import Iterable

from gateway.desync import Finding


class Request:
    """Headers are in ``lines``, each ending in CRLF, in their order and with their case, without
    those that the gateway itself decides on.

    The defaults are on the class, because most requests leave most of them alone.
    """

    head: bytes = b""
    """Request line and headers, to the empty line."""
    method: bytes = b""
    target: bytes = b""
    """The request target as the client wrote it; in origin form once the head is complete."""
    path: bytes = b""
    """The normalised path, which rules are matched against."""
    version: str = "HTTP/1.1"
    """As the access log writes it."""
    http10: bool = False
    keep_alive: bool = False
    head_complete: bool = False
    complete: bool = False
    """The whole body was received."""
    refusal: int = 0
    """The status to answer with instead of routing; 0 when the request is fine."""
    finding: Finding | None = None
    """Why this is no plainly well-formed request; None when it is one."""
    unusual: bool = False
    """Something in it has more than one reading, or may have: it has to be classified."""
    close_after: bool = False
    """The target's connection must not be used again, because the target may disagree about where
    this request ends."""
    invalid_names: bool = False
    """There are header names of other characters than letters, digits and hyphens."""

    source: str = ""
    """The IP address of the client."""
    host: bytes | None = None
    authority: bytes | None = None
    """The host of a request target in absolute form, which wins over ``host`` (RFC 9112, 3.2.2)."""
    content_length: int | None = None
    chunked: bool = False
    forwarded_for: bytes | None = None
    trace_id: bytes | None = None
    user_agent: bytes = b""
    connection: bytes | None = None
    upgrade: bytes | None = None
    websocket: bool = False
    """The client asks to go on with WebSocket (RFC 6455)."""
    expects_continue: bool = False

    sent_host: bytes | None = None
    """What a transform made of the host; None: nothing."""
    sent_target: bytes | None = None
    """Likewise of the request target."""

    head_size: int = 0
    body_size: int = 0

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.body: list[bytes] = []
        """Body bytes that were received and not yet taken by whoever handles the request."""

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head, be it empty."""
        return self.chunked or bool(self.content_length)

    @property
    def routing_host(self) -> bytes:
        """The host that rules see: without its port."""
        host = self.authority if self.authority is not None else self.host or b""
        name, colon, port = host.rpartition(b":")
        return name if colon and (port.isdigit() or not port) else host

    def header_values(self, name: bytes) -> Iterable[bytes]:
        """The values of every header of that name (in lower case), in order."""
        for line in self.head.split(b"\n")[1:]:
            found, colon, value = line.partition(b":")
            if colon and found.lower() == name:
                yield value.strip(b" \t\r")

    def refuse(self, status: int) -> None:
        """Makes the first reason the answer."""
        self.refusal = self.refusal or status
