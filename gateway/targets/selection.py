"""Selects the target for a forward action, including sticky sessions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from gateway.routing.rules import Forward
from gateway.targets.stickiness import (
    APPLICATION_COOKIE,
    LOAD_BALANCER_COOKIES,
    TARGET_GROUP_COOKIES,
    InvalidCookieError,
    Seal,
    application_cookies,
    cookie_pair,
    cookie_value,
    sets_cookie,
)
from gateway.targets.target import Target
from gateway.targets.target_group import TargetGroup

_GROUP_PURPOSE = "target group"


class CookieSource(Protocol):
    """A request's headers, for reading cookies."""

    def header_values(self, name: bytes) -> Iterable[bytes]:
        """The values of every header of that name (in lower case), in order."""


@dataclass(slots=True)
class Selection:
    """The target for a request. ``target`` is None if the group has none available."""

    target_group: str
    target: Target | None
    sticky: "StickySelection | None" = None
    failed_open: bool = False
    """Whether unhealthy targets were included in the selection."""
    error_reason: str = ""
    """The access log's error_reason, or empty."""


@dataclass(slots=True)
class StickySelection:
    """The cookies for the response, with which the client returns to the same target."""

    seal: Seal
    group_sealed_for: int | None
    group: TargetGroup
    target: Target
    returned: bool
    """Whether the client returned to its previous target."""
    in_session: bool
    """Whether the client's session has not expired, even if its target no longer exists."""

    def set_cookie_lines(self, response_lines: Iterable[bytes]) -> list[bytes]:
        """Header lines to add to the target's response."""
        seal, expires = self.seal, self.seal.expires()
        lines: list[bytes] = []
        if self.group_sealed_for is not None:
            value = seal.seal(_GROUP_PURPOSE, self.group.name, self.group_sealed_for)
            lines += cookie_pair(TARGET_GROUP_COOKIES, value, expires)
        stickiness = self.group.settings.stickiness
        if stickiness is None:
            return lines
        value = seal.seal(self.group.name, self.target.label, stickiness.duration)
        if stickiness.app_cookie is None:
            return lines + cookie_pair(LOAD_BALANCER_COOKIES, value, expires)
        begun = self.in_session or sets_cookie(response_lines, stickiness.app_cookie.encode())
        return lines + application_cookies(value if begun else None, expires)


class Selector:
    """Selects target groups and targets. ``groups`` may change meanwhile."""

    def __init__(self, groups: Mapping[str, TargetGroup], seal: Seal, random: Random) -> None:
        self._groups = groups
        self._seal = seal
        self._random = random

    def select(self, action: Forward, request: CookieSource) -> Selection:
        """The group and the target for a request."""
        error_reason = ""
        name = None
        if action.stickiness is not None:
            try:
                name = self._previous_group(action, request)
            except InvalidCookieError:
                error_reason = "AWSALBTGCookieInvalid"
        if name is None:
            name = action.choose(self._random)
        if name is None:
            return Selection("", None)
        group = self._groups[name]
        address = None
        if group.settings.stickiness is None:
            target = group.choose()
            if target is None or action.stickiness is None:
                return Selection(name, target, None, group.fails_open, error_reason)
        else:
            address = self._previous_address(group, request)
            target = group.choose(address)
            if target is None:
                return Selection(name, None, None, group.fails_open, error_reason)
        sticky = StickySelection(
            self._seal,
            action.stickiness,
            group,
            target,
            returned=target.label == address,
            in_session=address is not None,
        )
        return Selection(name, target, sticky, group.fails_open, error_reason)

    def _previous_group(self, action: Forward, request: CookieSource) -> str | None:
        value = _first_cookie(request, TARGET_GROUP_COOKIES)
        if value is None:
            return None
        name = self._seal.open(_GROUP_PURPOSE, value)
        return name if name in action.names else None

    def _previous_address(self, group: TargetGroup, request: CookieSource) -> str | None:
        stickiness = group.settings.stickiness
        cookie = stickiness.app_cookie if stickiness is not None else None
        if cookie is None:
            value = _first_cookie(request, LOAD_BALANCER_COOKIES)
        elif cookie_value(request.header_values(b"cookie"), cookie.encode()) is None:
            return None
        else:
            value = _first_cookie(request, (APPLICATION_COOKIE,))
        if value is None:
            return None
        try:
            return self._seal.open(group.name, value)
        except InvalidCookieError:
            return None


def _first_cookie(request: CookieSource, names: tuple[bytes, ...]) -> bytes | None:
    headers = tuple(request.header_values(b"cookie"))
    for name in names:
        value = cookie_value(headers, name)
        if value is not None:
            return value
    return None
