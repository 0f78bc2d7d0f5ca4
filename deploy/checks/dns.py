"""What the owner of a domain has to do: nobody here may change it."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit


def record(routing: Mapping[str, str]) -> Iterator[str]:
    """Where to point the domain, from the outputs of the routing stack: nothing without one."""
    origin = routing.get("PublicOrigin", "")
    if origin.startswith("https:") and "LoadBalancerDnsName" in routing:
        yield (
            f"Point A and AAAA of {urlsplit(origin).hostname} at {routing['LoadBalancerDnsName']} "
            "(alias records in Route 53; elsewhere a CNAME)"
        )
