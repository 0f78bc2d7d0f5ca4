"""The limit on the size of a request's body."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.errors import TooLarge
from kernel.http import problems

LARGEST_BODY = 1024 * 1024
"""The most bytes of any body. Most operations allow less: `kernel.http.fields.RequestBody`."""


def too_large(largest: int = LARGEST_BODY) -> TooLarge:
    """The failure for a body with more than `largest` bytes."""
    return TooLarge(f"A body may have {largest:,} bytes at most here.")


def declared_length(headers: Headers) -> int:
    """The size in `Content-Length`; 0 if it is missing or invalid."""
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


class DeclaredLength:
    """Refuses a body whose declared size is too large, before any of it is read.

    FastAPI counts the bytes of other bodies. It would refuse this one as well, but with a response
    in plain text that no handler sees."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and declared_length(Headers(scope=scope)) > LARGEST_BODY:
            await problems.response(too_large(), scope["path"])(scope, receive, send)
            return
        await self._app(scope, receive, send)
