"""How large a request's body may be."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.errors import TooLarge
from kernel.http import problems

LARGEST_BODY = 1024 * 1024
"""Bytes."""


def too_large() -> TooLarge:
    """The refusal of a larger body."""
    return TooLarge(f"A body may have {LARGEST_BODY} bytes at most.")


class DeclaredLength:
    """Refuses a body that says itself that it is too large, before any of it is read.

    FastAPI counts the bytes of all others. It would stop this one too, but with an answer in plain
    text that no handler sees.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            length = Headers(scope=scope).get("content-length", "0")
            if length.isdecimal() and int(length) > LARGEST_BODY:
                await problems.response(too_large(), scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)
