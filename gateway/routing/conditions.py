"""The conditions of a rule. A condition holds if any of its values matches.

What is compared, and whether case matters: "Condition types for listener rules" of
the AWS guide.
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.http1.paths import compile_globs, query_of
from gateway.net.bounded_memo import BoundedMemo
from gateway.routing.regular_expressions import compile_pattern

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class RuleInput(Protocol):
    """The attributes of a request that rules use."""

    @property
    def path(self) -> bytes:
        """The normalised path (``gateway.http1.paths.normalise``), without the query."""

    @property
    def target(self) -> bytes:
        """The request target in origin form, as the client wrote it."""

    @property
    def method(self) -> bytes:
        """The method, as the client wrote it."""

    @property
    def routing_host(self) -> bytes:
        """The first Host header, or the authority of an absolute target, without its port."""

    @property
    def host_with_port(self) -> bytes:
        """The same, with the port if the client wrote one."""

    @property
    def source(self) -> str:
        """The IP address of the TCP peer."""

    def header_values(self, name: bytes) -> Iterable[bytes]:
        """The values of every header of that name (in lower case), in order."""


class Condition(Protocol):
    """One condition of a rule."""

    def holds(self, request: RuleInput) -> bool:
        """Whether one of the condition's values matches."""

    def __str__(self) -> str:
        """Field and values, for ``explain``."""

    def seen(self, request: RuleInput) -> str:
        """The part of the request that is compared, for ``explain``."""


@dataclass(frozen=True, slots=True)
class Values:
    """Alternative globs or regular expressions for one text.

    Regular expressions must be valid for ``compile_pattern``.
    """

    written: tuple[str, ...]
    regular: bool
    matches: Callable[[bytes], object]

    def __str__(self) -> str:
        return ("~ " if self.regular else "") + ", ".join(self.written)


def globs(values: Sequence[str], *, ignore_case: bool = False, escapes: bool = False) -> Values:
    """Values that are globs for the whole text."""
    matches = compile_globs(values, ignore_case=ignore_case, escapes=escapes)
    return Values(tuple(values), False, matches)


def regular_expressions(values: Sequence[str], *, ignore_case: bool = False) -> Values:
    """Values that are regular expressions, which may match anywhere in the text."""
    searches = [compile_pattern(value, ignore_case=ignore_case) for value in values]

    def matches(text: bytes) -> bool:
        return any(search(text) is not None for search in searches)

    return Values(tuple(values), True, matches)


class PathPattern:
    """``path-pattern``: the path without its query, case-sensitive."""

    __slots__ = ("values",)

    def __init__(self, values: Values) -> None:
        self.values = values

    def holds(self, request: RuleInput) -> bool:
        return bool(self.values.matches(request.path))

    def __str__(self) -> str:
        return f"path-pattern {self.values}"

    def seen(self, request: RuleInput) -> str:
        return f"path {_shown(request.path)}"


@dataclass(frozen=True, slots=True)
class HostHeader:
    """``host-header``: the host, case-insensitive.

    Globs see it without its port, regular expressions with the port that the client wrote: this was
    reported of an ALB, and AWS does not document it.
    """

    values: Values

    def holds(self, request: RuleInput) -> bool:
        return bool(self.values.matches(self._host(request)))

    def _host(self, request: RuleInput) -> bytes:
        return request.host_with_port if self.values.regular else request.routing_host

    def __str__(self) -> str:
        return f"host-header {self.values}"

    def seen(self, request: RuleInput) -> str:
        return f"host {_shown(self._host(request))}"


@dataclass(frozen=True, slots=True)
class HttpHeader:
    """``http-header``: one of the values of one header; name and value are case-insensitive."""

    name: str
    values: Values

    def holds(self, request: RuleInput) -> bool:
        name = self.name.lower().encode()
        return any(self.values.matches(value) for value in request.header_values(name))

    def __str__(self) -> str:
        return f"http-header {self.name}: {self.values}"

    def seen(self, request: RuleInput) -> str:
        found = [_shown(value) for value in request.header_values(self.name.lower().encode())]
        return f"{self.name}: {', '.join(found)}" if found else f"no {self.name}"


@dataclass(frozen=True, slots=True)
class HttpRequestMethod:
    """``http-request-method``: the exact method, case-sensitive and without wildcards."""

    methods: tuple[str, ...]

    def holds(self, request: RuleInput) -> bool:
        return request.method.decode("latin-1") in self.methods

    def __str__(self) -> str:
        return f"http-request-method {', '.join(self.methods)}"

    def seen(self, request: RuleInput) -> str:
        return f"method {_shown(request.method)}"


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """A key and a value of ``query-string``; without ``key`` any key matches."""

    key: Values | None
    value: Values

    def matches(self, key: bytes, value: bytes) -> bool:
        """Whether the pair matches."""
        return (self.key is None or bool(self.key.matches(key))) and bool(self.value.matches(value))

    def __str__(self) -> str:
        return f"{self.key}={self.value}" if self.key else str(self.value)


@dataclass(frozen=True, slots=True)
class QueryString:
    """``query-string``: one of the query's pairs, as written, case-insensitive.

    Pairs are compared without percent-decoding; AWS does not document it.
    """

    parameters: tuple[QueryParameter, ...]

    def holds(self, request: RuleInput) -> bool:
        query = query_of(request.target)
        if not query:
            return False
        for pair in query.split(b"&"):
            key, _, value = pair.partition(b"=")
            if any(parameter.matches(key, value) for parameter in self.parameters):
                return True
        return False

    def __str__(self) -> str:
        return f"query-string {', '.join(map(str, self.parameters))}"

    def seen(self, request: RuleInput) -> str:
        query = query_of(request.target)
        return f"query {_shown(query)}" if query else "no query"


@dataclass(frozen=True, slots=True)
class SourceIp:
    """``source-ip``: the address of the TCP peer, never X-Forwarded-For."""

    networks: tuple[Network, ...]

    def holds(self, request: RuleInput) -> bool:
        address = _addresses[request.source]
        return any(address in network for network in self.networks)

    def __str__(self) -> str:
        return f"source-ip {', '.join(map(str, self.networks))}"

    def seen(self, request: RuleInput) -> str:
        return f"source {request.source}"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address, as IPv4 if it is IPv4-mapped: dual-stack sockets report IPv4 clients so."""
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


_addresses: Final = BoundedMemo(_address, most=1024, longest=64)


def _shown(text: bytes) -> str:
    return repr(text.decode("latin-1"))
