"""The peer of an accepted connection."""

import asyncio

from gateway.net.tls import facts
from gateway.proxy.data_plane import DataPlane
from gateway.proxy.heads import ForwardedHeaders
from gateway.proxy.listener import Listener
from gateway.proxy.peer import Peer
from gateway.targets.target import Address


def peer_of(
    transport: asyncio.Transport, plane: DataPlane, listener: Listener, *, http2: bool
) -> Peer | None:
    """The client on ``transport``, whose TLS handshake is complete; None if it has already
    disconnected."""
    peername = transport.get_extra_info("peername")
    if peername is None:
        return None
    address, port = peername[0].partition("%")[0], peername[1]
    secured = transport.get_extra_info("ssl_object")
    tls = None if secured is None else facts(secured, listener.settings.certificates[0])
    return Peer(
        address,
        str(Address(address, port)),
        f"TID_{plane.random.getrandbits(128):032x}",
        ForwardedHeaders(plane.load_balancer, address, port, listener.port, tls),
        tls,
        http2=http2,
    )
