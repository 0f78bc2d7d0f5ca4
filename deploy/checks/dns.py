"""What the owner of a domain has to do: these commands do not change the domain."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit


def record(routing: Mapping[str, str]) -> Iterator[str]:
    """Where to point the domain, from the outputs of the routing stack; nothing without a
    domain."""
    origin = routing.get("PublicOrigin", "")
    if origin.startswith("https:") and "LoadBalancerDnsName" in routing:
        yield (
            f"Point A and AAAA of {urlsplit(origin).hostname} at {routing['LoadBalancerDnsName']} "
            "(alias records in Route 53; elsewhere a CNAME)"
        )
