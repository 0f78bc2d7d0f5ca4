"""The facts about an exchange for the access log and the metrics."""

from gateway.http1.request import Request
from gateway.proxy.peer import Peer
from gateway.targets.selection import Selection
from gateway.targets.target import Target

_SWITCHING_PROTOCOLS = 101


class ExchangeRecord:
    """The facts about one exchange; complete once the record is passed to a recorder.

    Times are in seconds: ``created`` by the wall clock, the others by the monotonic clock; 0 for
    what did not happen.
    """

    __slots__ = (
        "action",
        "answered",
        "created",
        "dispatched",
        "error_reason",
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
        """None if no rule was evaluated."""
        self.action = ""
        """``forward``, ``fixed-response`` or ``redirect``, after ``authenticate`` if there was one;
        empty if no action was taken."""
        self.target_group = ""
        self.selection: Selection | None = None
        self.target: Target | None = None
        self.error_reason = ""
        """Why the target did not serve the request, in the words of the access log; empty if it did
        or if AWS has no word for it."""
        self.redirect_url = b""
        self.transform_failed = False
        self.trace = b""
        """The value of X-Amzn-Trace-Id."""
        self.status = 0
        """The status of the response to the client; 460 if the client disconnected before it."""
        self.target_status = 0
        """The status of the target's response; 0 without one."""
        self.sent = 0
        """Bytes written to the client, counted as in HTTP/1.1."""

    @property
    def kind(self) -> str:
        """The access log's type."""
        tls = self.peer.tls
        if self.status == _SWITCHING_PROTOCOLS:
            return "wss" if tls else "ws"
        if self.peer.http2:
            return "h2"
        return "https" if tls else "http"
