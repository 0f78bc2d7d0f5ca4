"""Rules for the addresses of links and pictures."""

import ipaddress
import re
from urllib.parse import urlsplit

import nh3

SCHEMES = frozenset({"http", "https", "mailto"})

_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_ABSOLUTE = re.compile(
    r"(?:https?:)?//([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]*)?(?:[/?#]|$)", re.IGNORECASE
)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_REMEMBERED = 10_000


class Addresses:
    """The rules for the board at `public_origin`."""

    def __init__(self, public_origin: str) -> None:
        self._own_host = (urlsplit(public_origin).hostname or "").rstrip(".")
        self._cleaner = nh3.Cleaner(url_schemes=set(SCHEMES))
        self._known: dict[str, bool] = {}

    def may_link(self, address: str) -> bool:
        """Whether a link may have this address: a relative one, or one with an allowed scheme that
        the sanitiser's parser understands, because the sanitiser would remove others."""
        scheme = _SCHEME.match(address)
        if scheme and scheme[1].lower() not in SCHEMES:
            return False
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            quoted = address.replace("&", "&amp;").replace('"', "&quot;")
            known = self._known[address] = " href=" in self._cleaner.clean(f'<a href="{quoted}">')
        return known

    def may_show(self, address: str) -> bool:
        """Whether a picture may have this address, which must be on another host than the board.

        Otherwise a browser would send the request with the reader's session, and it would count
        against the reader's limits. Every address that is not clearly on another host is refused:
        relative addresses, hosts that are escaped or not ASCII, numbers in any notation, and this
        machine.
        """
        match = _ABSOLUTE.match(address)
        if match is None:
            return False
        host = match[1].lower().rstrip(".")
        if host.startswith("[") or _NUMBER.fullmatch(host.rpartition(".")[2]):
            return self._is_public_ip(host.strip("[]"))
        return host not in {"", self._own_host} and not f".{host}".endswith(".localhost")

    def _is_public_ip(self, host: str) -> bool:
        try:
            return ipaddress.ip_address(host).is_global and host != self._own_host
        except ValueError:
            return False
