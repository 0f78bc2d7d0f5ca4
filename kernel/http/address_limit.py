"""The limit on requests from one address to one process."""

import math
import time
from collections.abc import Callable, Sequence

from cachetools import TTLCache
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.errors import Policy, TooManyRequests
from kernel.http import problems
from kernel.http.addresses import ClientAddresses
from kernel.http.response_fields import add_field
from kernel.process.settings import Network

_ADDRESSES = 50_000


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
        self._policy_field = policy.field().encode()
        self._addresses = ClientAddresses(trusted)
        self._timer = timer
        # An entry is [requests, end of the window]; the cache forgets it when the window ends.
        self._windows: TTLCache[str, list[float]] = TTLCache(_ADDRESSES, policy.window, timer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # What is not under /api is for the load balancer and other services, which are not counted.
        if scope["type"] != "http" or not scope["path"].startswith("/api"):
            await self._app(scope, receive, send)
            return
        now = self._timer()
        address = self._addresses.of(scope)
        window = self._windows.get(address)
        if window is None:
            window = self._windows[address] = [0, now + self._policy.window]
        window[0] += 1
        remaining = self._policy.quota - int(window[0])
        reset = max(1, math.ceil(window[1] - now))
        if remaining < 0:
            refusal = TooManyRequests("Too many requests from this address.", self._policy, reset)
            await problems.response(refusal, scope["path"])(scope, receive, send)
            return
        add_field(scope, b"ratelimit-policy", self._policy_field)
        add_field(scope, b"ratelimit", self._policy.state(remaining, reset).encode())
        await self._app(scope, receive, send)
