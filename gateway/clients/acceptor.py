"""Accepts the connections of one listener's clients."""

import asyncio
import socket

from gateway.clients.http1_connection import ClientConnection
from gateway.clients.http2_connection import Http2Connection
from gateway.net.alpn import Negotiation
from gateway.net.tls import HANDSHAKE_SECONDS, HTTP2, ServerContext
from gateway.proxy.data_plane import DataPlane
from gateway.proxy.listener import Listener


class Acceptor:
    """A listening socket. ``context`` is for an HTTPS listener."""

    def __init__(
        self, plane: DataPlane, listener: Listener, context: ServerContext | None = None
    ) -> None:
        self.listener = listener
        self.accepted = 0
        """The number of client connections so far."""
        self._plane = plane
        self._context = context
        self._server: asyncio.Server | None = None

    @property
    def failed_handshakes(self) -> int:
        """The number of failed TLS handshakes so far."""
        return self._context.failed_handshakes if self._context is not None else 0

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The listening sockets."""
        return self._server.sockets if self._server is not None else ()

    async def start(self, loop: asyncio.AbstractEventLoop, bind: str) -> None:
        """Opens the listener's port, and stores the actual one in the listener: 0 is any free port.
        Raises OSError."""
        self._server = await loop.create_server(
            self._accept,
            bind,
            self.listener.port,
            backlog=1024,
            ssl=self._context,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if self._context else None,
        )
        self.listener.port = self.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Accepts no more connections; open ones stay. May be called again."""
        if self._server is not None:
            self._server.close()

    def offer(self, *, http2: bool) -> None:
        """Sets whether HTTPS clients may choose HTTP/2, from the next handshake on."""
        if self._context is not None:
            self._context.offer(http2=http2)

    def _accept(self) -> asyncio.Protocol:
        self.accepted += 1
        if self._context is not None:
            return Negotiation(self._connection)
        return ClientConnection(self._plane, self.listener)

    def _connection(self, protocol: str | None) -> asyncio.Protocol:
        if protocol == HTTP2:
            return Http2Connection(self._plane, self.listener)
        return ClientConnection(self._plane, self.listener)
