"""The limit on requests from one address to one process."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.errors import Policy, TooManyRequests
from kernel.http import problems
from kernel.http.addresses.client import ClientAddresses
from kernel.http.operations import is_counted
from kernel.http.response_fields import add_field
from kernel.process.settings import Network

_ADDRESSES: Final = 50_000
"""How many addresses are counted at once; beyond that, the oldest window is forgotten."""


class _Window:
    """The requests of one address until `end`, in seconds of the timer."""

    __slots__ = ("end", "requests")

    def __init__(self, end: float) -> None:
        self.end = end
        self.requests = 0


class AddressLimit:
    """Limits the requests of one address to this process, for the API and for documents together:
    coarse, and in memory. A window begins with an address's first request."""

    def __init__(
        self,
        app: ASGIApp,
        policy: Policy,
        trusted: Sequence[Network],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._policy = policy
        self.policy_field = policy.field().encode()
        self.addresses = ClientAddresses(trusted)
        self._timer = timer
        # In the order in which they end, because all are equally long.
        self._windows: dict[str, _Window] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_counted(scope["path"]):
            await self._app(scope, receive, send)
            return
        state, reset = self.take(self.addresses.of(scope))
        if state is None:
            refusal = TooManyRequests("Too many requests from this address.", self._policy, reset)
            await problems.response(refusal, scope["path"])(scope, receive, send)
            return
        add_field(scope, b"ratelimit-policy", self.policy_field)
        add_field(scope, b"ratelimit", state)
        await self._app(scope, receive, send)

    def take(self, address: str) -> tuple[bytes | None, int]:
        """Count a request of this address. Returns the value of `RateLimit`, or None if the request
        must be refused, and the seconds until the address may send as many again."""
        now = self._timer()
        window = self._window(address, now)
        reset = max(1, math.ceil(window.end - now))
        if window.requests >= self._policy.quota:
            return None, reset
        window.requests += 1
        return self._policy.state(self._policy.quota - window.requests, reset).encode(), reset

    def _window(self, address: str, now: float) -> _Window:
        window = self._windows.get(address)
        if window is not None and now < window.end:
            return window
        if window is not None:
            del self._windows[address]
        elif len(self._windows) >= _ADDRESSES:
            del self._windows[next(iter(self._windows))]
        window = self._windows[address] = _Window(now + self._policy.window)
        return window
