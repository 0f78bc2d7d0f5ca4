"""Authentication of requests: session tokens, the same-origin rule, service tokens."""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.errors import Forbidden, Unauthenticated
from kernel.http import problems
from kernel.http.operations import is_counted

_SAFE_METHODS = frozenset({"GET", "HEAD"})
OWN_SITE = frozenset({"same-origin", "none"})


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization: Bearer` field (RFC 6750), or None for another scheme."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class SessionCookie:
    """The cookie that carries a browser's session token.

    On https and on localhost its name is `__Host-session`, which is `Secure` and bound to its host.
    Browsers refuse that prefix on other http hosts, where the name is `session`.

    `authenticate` raises for an invalid token. Contexts with large bodies need it: see
    `check`.
    """

    def __init__(
        self, public_origin: str, authenticate: Callable[[str], Awaitable[object]] | None = None
    ) -> None:
        self.authenticate = authenticate
        origin = urlsplit(public_origin)
        host = origin.hostname or ""
        self._secure = (
            origin.scheme == "https" or host == "localhost" or host.endswith(".localhost")
        )
        self.name = "__Host-session" if self._secure else "session"

    def put(self, response: Response, token: str, *, max_age: int) -> None:
        """Sign the browser in, for `max_age` seconds at most."""
        response.set_cookie(
            self.name, token, max_age=max_age, path="/", secure=self._secure, httponly=True,
            samesite="lax",
        )  # fmt: skip

    def clear(self, response: Response) -> None:
        """Sign the browser out."""
        response.delete_cookie(
            self.name, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    async def token(self, request: Request) -> str:
        """The session token of a request: the Bearer token, else the cookie. A FastAPI dependency.

        Raises `Unauthenticated` if there is neither. Only the users context knows whether the token
        is valid.
        """
        token = bearer_token(request.headers.get("authorization"))
        if token is None:
            token = request.cookies.get(self.name)
        if not token:
            raise Unauthenticated("Sign in, and send the session's token or cookie.")
        return token

    async def check(self, request: Request) -> None:
        """Raises what `authenticate` raises for the request's token, so that a large body is not
        read and parsed for an invalid one."""
        if self.authenticate is not None:
            await self.authenticate(await self.token(request))


class SameOrigin:
    """Refuses writes that another site makes a browser send.

    This concerns only requests that a cookie may authenticate: a Bearer token is a secret that
    other sites do not know, and reads need no protection. A page cannot change `Sec-Fetch-Site` and
    `Origin` (Fetch standard, forbidden request headers)."""

    def __init__(self, app: ASGIApp, public_origin: str) -> None:
        self._app = app
        self._origin = public_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS:
            headers = Headers(scope=scope)
            if bearer_token(headers.get("authorization")) is None and self._is_foreign(headers):
                refusal = Forbidden("This request was sent by a page of another site.")
                await problems.response(refusal, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site not in OWN_SITE
        origin = headers.get("origin")
        return origin is not None and origin.lower() != self._origin


class FetchMetadata:
    """Refuses requests that a browser sends for an element of a page, such as a picture, a frame or
    a script, or for a script of another site; except those for the page's own files.

    A page with a hundred pictures whose addresses redirect to the board would use up its reader's
    limit, so such requests are refused before the limit on addresses counts them. Browsers send
    `Sec-Fetch-Dest` to https and to localhost, and no page can change it (W3C Fetch Metadata).
    Requests without it, requests with a token, and addresses opened directly are not refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_counted(scope["path"]):
            for name, value in scope["headers"]:
                if name == b"sec-fetch-dest" and value != b"document":
                    if value != b"empty" or _is_from_foreign_script(scope):
                        refusal = Forbidden("The board answers scripts of its own pages.")
                        await problems.response(refusal, scope["path"])(scope, receive, send)
                        return
                    break
        await self._app(scope, receive, send)


def _is_from_foreign_script(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return (
        headers.get("sec-fetch-site", "none") not in OWN_SITE
        and bearer_token(headers.get("authorization")) is None
    )


class ServiceToken:
    """Admits only other services. A FastAPI dependency.

    `accepted` are the valid secrets, which are compared in constant time.
    """

    def __init__(self, accepted: Sequence[str]) -> None:
        self._accepted = [token.encode() for token in accepted]

    async def __call__(self, authorization: Annotated[str | None, Header()] = None) -> None:
        """Raises `Forbidden`, and not `Unauthenticated`, which is about a user's session."""
        token = (bearer_token(authorization) or "").encode()
        good = [hmac.compare_digest(token, accepted) for accepted in self._accepted]
        if not any(good):
            raise Forbidden("This operation is for other services, which have a token.")


async def _keep_private(response: Response) -> None:
    response.headers["Cache-Control"] = "private, no-store"


PERSONAL = Depends(_keep_private)
"""The dependency of an operation whose response is for one user, so that no cache stores it."""
