"""Registers the targets of ``--target``, and resolves host names repeatedly."""

import asyncio
import ipaddress
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from gateway.targets.registrations import Registrations
from gateway.targets.target import Address

_log: Final = logging.getLogger(__name__)

_NO_SUCH_NAME: Final = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


_NAME: Final = re.compile(rb"[A-Za-z0-9._-]{1,253}")


class InvalidTargetError(ValueError):
    """A target's URL is invalid for its group."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The value of ``--target``: an IP address or a host name, and a port."""

    host: str
    port: int

    @property
    def is_address(self) -> bool:
        """Whether it is an IP address, which need not be resolved."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True


def parse_endpoint(url: str, *, function: bool = False) -> Endpoint:
    """The endpoint in ``http://host[:port]`` or, for the emulator of a function,
    ``lambda+http://host[:port]``. Raises InvalidTargetError."""
    scheme = "lambda+http" if function else "http"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidTargetError(f"{url!r}: {error}") from error
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme != scheme or not parts.hostname or extra or port == 0:
        raise InvalidTargetError(f"{url!r} is not {scheme}://HOST:PORT")
    endpoint = Endpoint(parts.hostname, port or 80)
    if not endpoint.is_address:
        _check_name(url, parts.hostname)
    return endpoint


def _check_name(url: str, name: str) -> None:
    """Raises InvalidTargetError for a name that DNS cannot have (RFC 1123, section 2.1; RFC
    3490)."""
    try:
        fits = _NAME.fullmatch(name.encode("idna"))
    except UnicodeError:
        fits = None
    if not fits:
        raise InvalidTargetError(
            f"{url!r}: {name!r} is not a host name, which has parts of 1 to 63 letters, digits, "
            "hyphens and underscores, and 253 characters in all"
        )


Resolve = Callable[[str, int, bool], Awaitable[set[Address]]]
"""Resolves (name, port, whether IPv6) to addresses: none if the name does not exist. Raises OSError
if the resolver fails."""


async def resolve(name: str, port: int, ipv6: bool) -> set[Address]:
    """Resolves a name with the system's resolver (``Resolve``)."""
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            name, port, family=family, type=socket.SOCK_STREAM
        )
    except socket.gaierror as error:
        if error.errno in _NO_SUCH_NAME:
            return set()
        raise
    return {Address(str(sockaddr[0]), port) for *_, sockaddr in found}


class Discovery:
    """Updates a group's registrations whenever its endpoints resolve to other addresses.

    Every address of a name is a target. If the resolver fails, the targets stay, because the
    failure is not theirs.
    """

    def __init__(
        self,
        registrations: Registrations,
        endpoints: Sequence[Endpoint],
        resolve: Resolve,
        interval: float,
    ) -> None:
        self._registrations = registrations
        self._group = registrations.group
        self._endpoints = tuple(dict.fromkeys(endpoints))
        self._resolve = resolve
        self._interval = interval
        self._tasks: list[asyncio.Task[None]] = []
        self._failing: set[Endpoint] = set()

    async def start(self) -> None:
        """Registers IP addresses, and starts to resolve names repeatedly. Waits for the first
        result of each name, at most one interval."""
        names = []
        for endpoint in self._endpoints:
            if endpoint.is_address:
                self._registrations.found(endpoint, {Address(endpoint.host, endpoint.port)})
            else:
                names.append(endpoint)
        first = [asyncio.create_task(self._look_up(endpoint)) for endpoint in names]
        self._tasks.extend(first)
        if first:
            await asyncio.wait(first, timeout=self._interval)
        self._tasks.extend(asyncio.create_task(self._follow(endpoint)) for endpoint in names)

    async def close(self) -> None:
        """Stops resolving names; registered targets stay registered."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, endpoint: Endpoint) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self._look_up(endpoint)

    async def _look_up(self, endpoint: Endpoint) -> None:
        try:
            found = await self._resolve(endpoint.host, endpoint.port, self._group.settings.ipv6)
        except OSError as error:
            if endpoint not in self._failing:
                self._failing.add(endpoint)
                _log.warning("%s: cannot look up %s: %s", self._group.name, endpoint.host, error)
            return
        self._failing.discard(endpoint)
        self._registrations.found(endpoint, found)
