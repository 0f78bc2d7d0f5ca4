"""The address of the client that sent a request."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from starlette.types import Scope

from kernel.process.settings import Network

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_REMEMBERED = 10_000


class ClientAddresses:
    """Finds the address that limits count: for an IPv6 client its /64, which one customer usually
    has. It is empty if there is none, as on a Unix socket.

    Behind a load balancer it is the last element of `X-Forwarded-For`, which the load balancer
    itself adds; a client can forge the elements before it. This applies only if the peer is in a
    trusted network, that of the load balancer.

    `resolve` returns the address for a peer and the last `X-Forwarded-For`, empty if there is none.
    """

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted
        self.resolve = lru_cache(_REMEMBERED)(self._uncached)

    def of(self, scope: Scope) -> str:
        """The address of a request."""
        client = scope.get("client")
        if client is None:
            return ""
        last = b""
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                last = value.rpartition(b",")[2]
        return self.resolve(client[0], last)

    def _uncached(self, host: str, forwarded: bytes) -> str:
        peer = _parse(host)
        if peer is None:
            return ""
        if any(peer in network for network in self._trusted if network.version == peer.version):
            peer = _parse(forwarded.decode("latin-1").strip()) or peer
        if isinstance(peer, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((peer, 64), strict=False))
        return str(peer)


def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
