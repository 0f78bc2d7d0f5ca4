"""Ends the work for another service when that service has stopped waiting for it."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.calls import deadline
from kernel.calls.deadline import Deadline, current_deadline
from kernel.errors import Unavailable
from kernel.http import problems

_FIELD: Final = deadline.FIELD.lower().encode()
_INTERNAL: Final = "/internal/"


class CallDeadline:
    """Cancels a call from another service at the deadline in its header field, and passes what is
    left of it on to the services called meanwhile.

    Applies to paths below `/internal/` only, which no load balancer forwards. The field of a client
    is ignored.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seconds = _seconds(scope)
        if seconds is None:
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        restore = current_deadline.set(Deadline.after(seconds))
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await self._app(scope, receive, watched)
        except TimeoutError:
            if started or not limit.expired():
                raise
            # Hardly anybody reads it; it is what the log shows.
            failure = Unavailable("The time for this request is over.")
            await problems.response(failure, scope["path"])(scope, receive, send)
        finally:
            current_deadline.reset(restore)


def _seconds(scope: Scope) -> float | None:
    if scope["type"] != "http" or not scope["path"].startswith(_INTERNAL):
        return None
    for name, value in scope["headers"]:
        if name == _FIELD:
            return deadline.read(value)
    return None
