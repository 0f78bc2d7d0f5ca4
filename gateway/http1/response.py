"""One response, as it was received."""


class Response:
    """``lines`` are its end-to-end headers, each ending in CRLF, in their order and case, without
    Date, which the gateway sets."""

    __slots__ = (
        "body",
        "chunked",
        "complete",
        "connection",
        "content_length",
        "has_content_length",
        "head_complete",
        "keep_alive",
        "lines",
        "status",
        "status_line",
        "until_close",
        "upgrade",
    )

    def __init__(self) -> None:
        self.status = 0
        self.status_line = b""
        """Including its CRLF."""
        self.head_complete = False
        self.complete = False
        self.keep_alive = False
        """Whether the target allows the connection to be used again."""
        self.has_content_length = False
        self.content_length = 0
        self.chunked = False
        self.until_close = False
        """Whether the body ends with the connection."""
        self.connection: bytes | None = None
        self.upgrade = b""
        """The protocol that the target switches to."""
        self.lines: list[bytes] = []
        self.body: list[bytes] = []
        """Body bytes that the exchange has not taken yet."""
