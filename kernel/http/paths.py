"""Normalises a request's method and path before an operation is looked up."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RequestNormalizer:
    """Serves HEAD for every GET, and treats a path with a trailing slash like the path without it.

    A redirect instead would cost a round trip, and some clients would drop the body of a POST.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            scope["path"] = path[:-1]
        if scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                endless = message.get("more_body", False)
                await send({"type": "http.response.body", "body": b""})
                if endless:
                    raise _HeadSentError
            else:
                await send(message)

        # A copy: the server must still see a HEAD, whose response has no body.
        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, send_head)
        except* _HeadSentError:
            pass
        scope["route"] = as_get.get("route")


class _HeadSentError(Exception):
    """Ends an endless operation once the head of its response has been sent."""
