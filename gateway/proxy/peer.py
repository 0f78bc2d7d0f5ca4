"""The client at the other end of a connection."""

from gateway.net.tls import TlsFacts
from gateway.proxy.heads import ForwardedHeaders


class Peer:
    """What all requests of one connection have in common."""

    __slots__ = ("address", "connection_label", "forwarded", "http2", "label", "tls")

    def __init__(
        self,
        address: str,
        label: str,
        connection_label: str,
        forwarded: ForwardedHeaders,
        tls: TlsFacts | None,
        *,
        http2: bool,
    ) -> None:
        self.address = address
        """The IP address, without an IPv6 zone."""
        self.label = label
        """Address and port, for logs."""
        self.connection_label = connection_label
        """``TID_`` and 128 random bits, for logs."""
        self.forwarded = forwarded
        self.tls = tls
        """None for a client of an HTTP listener."""
        self.http2 = http2
