"""One port that clients connect to."""

import asyncio
from typing import TYPE_CHECKING

from gateway.clients.http1_connection import ClientConnection
from gateway.clients.http2_connection import Http2Connection
from gateway.http1.request import Request
from gateway.net.alpn import Negotiation
from gateway.net.bounded_memo import Remembered
from gateway.net.tls import HTTP2, ServerContext
from gateway.proxy.heads import host_line
from gateway.routing.settings import ListenerSettings

if TYPE_CHECKING:
    from gateway.proxy.data_plane import DataPlane


class Listener:
    """A listener's settings, which may be replaced while it runs, and its real port.

    ``context`` is for an HTTPS listener.
    """

    def __init__(
        self,
        plane: "DataPlane",
        settings: ListenerSettings,
        port: int,
        context: ServerContext | None = None,
    ) -> None:
        self.port = port
        self.accepted = 0
        """How many connections of clients there were so far."""
        self._context = context
        self._evaluated = 0
        self._plane = plane
        # The port may still change: a free one is known once it is listened on.
        self._host_lines = Remembered(
            lambda host: host_line(host, self.port), most=256, longest=256
        )
        self._take_over(settings)

    @property
    def failed_handshakes(self) -> int:
        """How many clients could not agree on TLS so far."""
        return self._context.failed_handshakes if self._context is not None else 0

    @property
    def rule_evaluations(self) -> int:
        """How many rules were looked at so far, in all the settings that there were."""
        return self._evaluated + self._settings.rules.evaluations

    @property
    def settings(self) -> ListenerSettings:
        """What holds for the next request."""
        return self._settings

    @settings.setter
    def settings(self, settings: ListenerSettings) -> None:
        rules = self._settings.rules
        self._evaluated += rules.evaluations
        # They may come back.
        rules.evaluations = 0
        self._take_over(settings)

    def _take_over(self, settings: ListenerSettings) -> None:
        self._settings = settings
        self.rules = settings.rules
        self._inserted = [
            f"{name}: {value}\r\n".encode("latin-1") for name, value in settings.response_headers
        ]
        self._replaced = {name.lower().encode() for name, _ in settings.response_headers}
        if not settings.server_header:
            self._replaced.add(b"server")

    def response_lines(self, lines: list[bytes]) -> list[bytes]:
        """A response's headers with those that the listener sets, or removes, on every one."""
        if not self._replaced:
            return lines
        kept = [line for line in lines if line.partition(b":")[0].lower() not in self._replaced]
        return kept + self._inserted

    def client(self) -> asyncio.Protocol:
        """The protocol of a client that has just connected."""
        self.accepted += 1
        if self.settings.certificates:
            return Negotiation(self._speaks)
        return ClientConnection(self._plane, self)

    def _speaks(self, protocol: str | None) -> asyncio.Protocol:
        if protocol == HTTP2:
            return Http2Connection(self._plane, self)
        return ClientConnection(self._plane, self)

    def host_line(self, request: Request) -> bytes | None:
        """The Host header for the target; None when the request's is none.

        An HTTP/1.0 request may come without: then it is the load balancer's own name.
        """
        if self._plane.load_balancer.preserve_host_header and request.sent_host is None:
            written = [b"Host: %b\r\n" % value for value in request.header_values(b"host")]
            if written:
                return b"".join(written)
        host = request.authority if request.authority is not None else request.host
        if request.sent_host is not None:
            host = request.sent_host
        if host is None:
            host = b"localhost"
        return self._host_lines[host]
