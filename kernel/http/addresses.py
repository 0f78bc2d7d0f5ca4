"""The address of the client that sent a request."""

import ipaddress
from collections.abc import Sequence
from typing import TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope

from kernel.process.settings import Network

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The address that limits count for: of an IPv6 client its /64, which is what one customer
    has. Empty when there is none, as on a Unix socket.

    Behind a load balancer it is the last element of `X-Forwarded-For`, the one that the load
    balancer itself has added; whatever stands before it, the client may have made up. That counts
    only when the peer is in a trusted network, the load balancer's: exactly one hop.
    """
    peer = _parse((scope.get("client") or ("", 0))[0])
    if peer is None:
        return ""
    if any(peer in network for network in trusted if network.version == peer.version):
        forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
        peer = _parse(forwarded.rpartition(",")[2].strip()) or peer
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
