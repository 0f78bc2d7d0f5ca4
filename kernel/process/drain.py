"""Decides how long a process continues to serve after it was asked to stop."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.process.shortcut import shortcut_of

_STALLED = 0.5
"""Seconds of delay in the event loop after which requests may be waiting unread."""


class Drain:
    """Wraps the application, and measures the time since the last request from the load balancer.

    A load balancer checks the health of each target every few seconds. If no request from another
    machine arrives for longer than that, the load balancer has stopped or has deregistered this
    process, and no more requests will come. Requests from this machine (a container's health check)
    and from other services do not count. If the process was stalled, because the machine was busy
    or asleep, it could not receive requests, so the silence is measured again from then."""

    def __init__(
        self,
        app: ASGIApp,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`now` is a clock in seconds that never goes back; `sleep` waits that many seconds."""
        self._app = app
        self._now = now
        self._sleep = sleep
        self._last_request = now()
        # Not counted here: while the process drains, applications have no shortcut.
        self.shortcut = shortcut_of(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not (_is_internal(scope) or _is_loopback(scope)):
            self._last_request = self._now()
        await self._app(scope, receive, send)

    async def wait(self, seconds: float, silence: float | None) -> None:
        """Returns after `seconds`, or as soon as no request has come for `silence` seconds, counted
        from now; with None, only after `seconds`."""
        began = self._last_request = self._now()
        while (left := began + seconds - self._now()) > 0:
            if silence is not None:
                left = min(left, self._last_request + silence - self._now())
                if left <= 0:
                    return
            due = self._now() + left
            await self._sleep(left)
            if self._now() > due + _STALLED:
                self._last_request = self._now()


def _is_internal(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith("/internal/")


def _is_loopback(scope: Scope) -> bool:
    client = scope.get("client")
    return client is not None and _is_address_of_this_machine(client[0])


@lru_cache(1000)
def _is_address_of_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
