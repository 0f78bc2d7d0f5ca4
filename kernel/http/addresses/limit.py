"""The limit on requests from one address to one process."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.errors import Policy, TooManyRequests
from kernel.http import problems
from kernel.http.addresses.client import ClientAddresses
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


COUNTED: Final = "/api"
"""How the paths begin whose requests are counted."""


class AddressLimit:
    """Limits the requests of one address to the API of this process: coarse, in memory, for all
    operations together. A window begins with an address's first request."""

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
        self._addresses = ClientAddresses(trusted)
        self._timer = timer
        # In the order in which they end, because all are equally long.
        self._windows: dict[str, _Window] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # What is not under /api is for the load balancer and other services, which are not counted.
        if scope["type"] != "http" or not scope["path"].startswith(COUNTED):
            await self._app(scope, receive, send)
            return
        now = self._timer()
        window = self._window(self._addresses.of(scope), now)
        window.requests += 1
        remaining = self._policy.quota - window.requests
        reset = max(1, math.ceil(window.end - now))
        if remaining < 0:
            refusal = TooManyRequests("Too many requests from this address.", self._policy, reset)
            await problems.response(refusal, scope["path"])(scope, receive, send)
            return
        add_field(scope, b"ratelimit-policy", self.policy_field)
        add_field(scope, b"ratelimit", self._policy.state(remaining, reset).encode())
        await self._app(scope, receive, send)

    def take(self, peer: str, forwarded: bytes) -> bytes | None:
        """Count a request of this peer with this `X-Forwarded-For`, empty if it has none. Returns
        the value of `RateLimit`, or None, without counting, if the request must be refused."""
        now = self._timer()
        window = self._window(self._addresses.resolve(peer, forwarded.rpartition(b",")[2]), now)
        if window.requests >= self._policy.quota:
            return None
        window.requests += 1
        reset = max(1, math.ceil(window.end - now))
        return self._policy.state(self._policy.quota - window.requests, reset).encode()

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
