"""How much is too much: of one address in this process, and of one user in all of them."""

import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cachetools import TTLCache
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.data.database import Connection
from kernel.errors import Policy, TooManyRequests
from kernel.http import problems
from kernel.process.addresses import Network, client_address

_ADDRESSES = 50_000


class AddressLimit:
    """Bounds what one address asks of the API of this process: coarse, in memory, the same for
    every operation. A window begins with an address's first request."""

    def __init__(
        self,
        app: ASGIApp,
        policy: Policy,
        trusted: Sequence[Network],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._policy = policy
        self._trusted = trusted
        self._timer = timer
        # An entry is [requests, end of the window]; the cache forgets it when the window ends.
        self._windows: TTLCache[str, list[float]] = TTLCache(_ADDRESSES, policy.window, timer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # What is not under /api is for the load balancer and other services, which are not counted.
        if scope["type"] != "http" or not scope["path"].startswith("/api"):
            await self._app(scope, receive, send)
            return
        now = self._timer()
        address = client_address(scope, self._trusted)
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

        async def send_with_state(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("RateLimit-Policy", self._policy.field())
                headers.setdefault("RateLimit", self._policy.state(remaining, reset))
            await send(message)

        await self._app(scope, receive, send_with_state)


async def once_each(
    connection: Connection, user: int, policy: Policy, now: datetime, refusal: str
) -> None:
    """Let a user do something once in the policy's window, in whichever process. Inside the
    transaction of what they do: what is not done does not count. Raises `TooManyRequests`, with
    `refusal` as its sentence. A window of 0 s is no limit."""
    if policy.window == 0:
        return
    window = timedelta(seconds=policy.window)
    counted = await connection.fetchval(
        """
        INSERT INTO last_done AS known (user_id, policy, at) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, policy) DO UPDATE SET at = excluded.at WHERE known.at <= $4
        RETURNING true
        """,
        user,
        policy.name,
        now,
        now - window,
    )
    if not counted:
        last = await connection.fetchval(
            "SELECT at FROM last_done WHERE user_id = $1 AND policy = $2", user, policy.name
        )
        wait = math.ceil((last + window - now).total_seconds())
        raise TooManyRequests(refusal, policy, wait)
