"""What the access log and the metrics read of one exchange."""

from gateway.http1.request import Request
from gateway.proxy.peer import Peer
from gateway.targets.selection import Selection
from gateway.targets.target import Target

_SWITCHING_PROTOCOLS = 101


class ExchangeRecord:
    """One exchange, as far as it got; complete once it is passed to a recorder.

    Times are in seconds: ``created`` of the wall clock, the others of the clock's monotonic
    reading, and 0 for what did not happen.
    """

    __slots__ = (
        "action",
        "answered",
        "created",
        "dispatched",
        "finished",
        "listener_port",
        "peer",
        "redirect_url",
        "request",
        "rule_priority",
        "selection",
        "sent",
        "started",
        "status",
        "target",
        "target_group",
        "target_status",
        "trace",
        "transform_failed",
    )

    def __init__(
        self, request: Request, peer: Peer, listener_port: int, created: float, started: float
    ) -> None:
        self.request = request
        self.peer = peer
        self.listener_port = listener_port
        self.created = created
        self.started = started
        self.dispatched = 0.0
        """When the request was sent to the target."""
        self.answered = 0.0
        """When the head of the target's response was complete."""
        self.finished = 0.0
        self.rule_priority: int | None = None
        """None: no rule was looked for."""
        self.action = ""
        """``forward``, ``fixed-response`` or ``redirect``, perhaps after ``authenticate``; empty
        when no action was taken."""
        self.target_group = ""
        self.selection: Selection | None = None
        self.target: Target | None = None
        self.redirect_url = b""
        self.transform_failed = False
        self.trace = b""
        """The value of X-Amzn-Trace-Id."""
        self.status = 0
        """Of the response to the client; 460 when the client left before one began."""
        self.target_status = 0
        """Of the target's response; 0 without one."""
        self.sent = 0
        """Bytes written to the client, as HTTP/1.1 has them."""

    @property
    def kind(self) -> str:
        """The access log's type."""
        tls = self.peer.tls
        if self.status == _SWITCHING_PROTOCOLS:
            return "wss" if tls else "ws"
        if self.peer.http2:
            return "h2"
        return "https" if tls else "http"
