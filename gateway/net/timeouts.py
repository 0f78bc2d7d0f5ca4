"""How long anything may take, and how often it may happen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds where no other unit is named. ``idle`` and ``client_keep_alive`` come from the
    template.

    Defaults: "Elastic Load Balancing connection timeouts" and "HTTP 504" of the AWS guide.
    """

    idle: float = 60
    """How long an exchange may go without a byte, and how long a client's or a target's connection
    is kept for the next request."""
    client_keep_alive: float = 3600
    """The age of a client's connection from which its next answer is the last."""
    client_requests: int = 10_000
    """How many requests a client's connection of HTTP/2 may bring before it gets a GOAWAY."""
    head: float = 60
    """How long a request's head may take in all, however slowly its bytes come. AWS documents no
    such limit; without one a client that sends a byte now and then holds on for ever."""
    connect: float = 10
    """For a target to accept a connection."""
    linger: float = 5
    """How long a client may go on sending after the answer that closed its connection, and how
    long one of HTTP/2 has to agree to the end of its connection."""
    look_up: float = 1
    """How often the names of targets are looked up again."""
    tick: float = 0.25
    """How often all of these are looked at: the error that each may have."""
