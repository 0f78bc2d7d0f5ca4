"""Which addresses the internet sees when this process connects to it: one for each IP version.

An address service answers a request with the address that it came from. Behind a NAT gateway, that
is the gateway's over IPv4; over IPv6, every machine has a public address of its own.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final

import httpx

SERVICE: Final = "https://icanhazip.com"
"""The address service, unless another is named. It is Cloudflare's; it has IPv4 and IPv6."""

_SECONDS: Final = 10.0
# A connection from an unspecified address of a version can only be one of that version.
_FROM: Final = {"IPv4": "0.0.0.0", "IPv6": "::"}  # noqa: S104 - nothing listens here


async def outside_addresses(service: str) -> Sequence[str]:
    """A line for each IP version: the address that `service`, an HTTP URL, saw; or why none."""
    return [f"{version}: {await _seen(service, local)}" for version, local in _FROM.items()]


async def _seen(service: str, local: str) -> str:
    transport = httpx.AsyncHTTPTransport(local_address=local)
    async with httpx.AsyncClient(transport=transport, timeout=_SECONDS) as http:
        try:
            response = await http.get(service)
        except httpx.HTTPError as error:
            return f"no way out ({type(error).__name__})"
    try:
        return str(ipaddress.ip_address(response.text.strip()))
    except ValueError:
        return f"no address in the response, whose status is {response.status_code}"
