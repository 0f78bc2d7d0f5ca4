"""Timeouts and intervals."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds, except ``client_requests``. ``idle`` and ``client_keep_alive`` come from the
    template.

    Defaults: "Elastic Load Balancing connection timeouts" and "HTTP 504" of the AWS guide.
    """

    idle: float = 60
    """How long an exchange may last without a byte, and how long an idle connection with a client
    or target stays open."""
    client_keep_alive: float = 3600
    """The age of a client's connection after which its next answer is the last."""
    client_requests: int = 10_000
    """How many requests a client may send on an HTTP/2 connection before it gets GOAWAY."""
    head: float = 60
    """How long receiving a request's head may take in all. AWS documents no such limit; without
    one, a client that sends a byte from time to time could stay connected forever."""
    connect: float = 10
    """How long connecting to a target may take."""
    linger: float = 5
    """How long a client may continue to send after the answer that closes its connection, and how
    long an HTTP/2 client has to close the connection after GOAWAY."""
    look_up: float = 1
    """The interval in which host names of targets are resolved."""
    tick: float = 0.25
    """The interval in which timeouts are checked, which is also their precision."""
