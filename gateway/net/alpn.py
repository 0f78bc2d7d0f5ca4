"""Negotiates the version of HTTP with clients of an HTTPS listener."""

import asyncio
from collections.abc import Callable
from typing import cast


class Negotiation(asyncio.Protocol):
    """Passes a connection to the negotiated protocol once its TLS handshake is complete."""

    def __init__(self, by_protocol: Callable[[str | None], asyncio.Protocol]) -> None:
        self._by_protocol = by_protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        secured = transport.get_extra_info("ssl_object")
        protocol = self._by_protocol(secured.selected_alpn_protocol())
        cast(asyncio.Transport, transport).set_protocol(protocol)
        protocol.connection_made(transport)
