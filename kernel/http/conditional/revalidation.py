"""Conditional GET: a strong `ETag` on every answer of one piece, and 304 for those who have it."""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def entity_tag(body: bytes) -> str:
    """The strong entity tag (RFC 9110 section 8.8.3) of a representation. It depends on the bytes
    alone, so every instance, in either deployment, computes the same one."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def matches(if_none_match: str, tag: str) -> bool:
    """Whether an `If-None-Match` field names the tag, compared weakly (RFC 9110 section 13.1.2)."""
    candidates = [candidate.strip() for candidate in if_none_match.split(",")]
    return candidates == ["*"] or tag in (part.removeprefix("W/") for part in candidates)


class Revalidation:
    """Tags every 200 to a GET that is sent as one body. What is streamed passes untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        withheld: Message | None = None

        async def tag(message: Message) -> None:
            nonlocal withheld
            if message["type"] == "http.response.start":
                if message["status"] == 200:
                    withheld = message
                    return
            elif withheld is not None:
                start, withheld = withheld, None
                if not message.get("more_body", False):
                    start, message = _conditional(scope, start, message)
                await send(start)
            await send(message)

        await self._app(scope, receive, tag)


def _conditional(scope: Scope, start: Message, body: Message) -> tuple[Message, Message]:
    headers = MutableHeaders(scope=start)
    # The next page is part of a list's representation: a page that has become followed by another
    # is not the one that a client has.
    link = headers.get("link", "")
    tag = entity_tag(body.get("body", b"") + link.encode())
    headers["ETag"] = tag
    headers.setdefault("Cache-Control", "no-cache")
    # Several fields of one name mean the same as one field with commas (RFC 9110 section 5.3).
    if_none_match = ",".join(Headers(scope=scope).getlist("if-none-match"))
    if if_none_match and matches(if_none_match, tag):
        for name in ("content-type", "content-length"):
            del headers[name]
        return {**start, "status": 304}, {**body, "body": b""}
    return start, body
