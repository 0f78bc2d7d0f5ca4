"""How long a process that was asked to stop goes on serving."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

_HELD_UP = 0.5
"""Seconds of delay after which requests may be waiting that nobody has read."""


class Drain:
    """The application, and the time since anybody asked it for something.

    A load balancer asks each of its targets for their health every few seconds. When nobody on
    another machine asks for longer than that, it is gone, or has let go of this process: nothing
    more will come. What this machine asks itself (a container's health check) does not count, nor
    what other services ask: theirs are not the requests that a load balancer sends. And who was
    held up, by a busy or a sleeping machine, has not listened: silence is then counted anew.
    """

    def __init__(self, app: ASGIApp, now: Callable[[], float]) -> None:
        """`now` is a clock in seconds that never goes back."""
        self._app = app
        self._now = now
        self._heard = now()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not (_is_internal(scope) or _is_loopback(scope)):
            self._heard = self._now()
        await self._app(scope, receive, send)

    async def wait(self, seconds: float, silence: float | None) -> None:
        """Returns after `seconds`, or as soon as nobody has asked for `silence` seconds, counted
        from now; with None, silence says nothing."""
        began = self._heard = self._now()
        while (left := began + seconds - self._now()) > 0:
            if silence is not None:
                left = min(left, self._heard + silence - self._now())
                if left <= 0:
                    return
            due = self._now() + left
            await asyncio.sleep(left)
            if self._now() > due + _HELD_UP:
                self._heard = self._now()


def _is_internal(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith("/internal/")


def _is_loopback(scope: Scope) -> bool:
    client = scope.get("client")
    if client is None:
        return False
    try:
        return ip_address(client[0]).is_loopback
    except ValueError:
        return False
