"""How large a request's body may be."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.errors import TooLarge
from kernel.http import problems

LARGEST_BODY = 1024 * 1024
"""Bytes of a body that any operation takes. Most take less: `kernel.http.fields.RequestBody`."""


def too_large(largest: int = LARGEST_BODY) -> TooLarge:
    """The refusal of a body above `largest` bytes."""
    return TooLarge(f"A body may have {largest:,} bytes at most here.")


def declared_length(headers: Headers) -> int:
    """The bytes that a body has by its own account; 0 where it says nothing that can be read."""
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


class DeclaredLength:
    """Refuses a body that says itself that it is too large, before any of it is read.

    FastAPI counts the bytes of all others. It would stop this one too, but with an answer in plain
    text that no handler sees.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and declared_length(Headers(scope=scope)) > LARGEST_BODY:
            await problems.response(too_large(), scope["path"])(scope, receive, send)
            return
        await self._app(scope, receive, send)
