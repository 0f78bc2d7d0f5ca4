"""How a request's method and path are read before an operation is looked up."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RequestNormalizer:
    """Serves HEAD wherever there is GET, and a path with a trailing slash as the one without.

    A redirect in place of the latter would cost a round trip and, for a POST, the body in some
    clients.
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

        # A copy: the server must go on knowing that this is a HEAD, whose answer has no body.
        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, send_head)
        except* _HeadSentError:
            pass
        scope["route"] = as_get.get("route")


class _HeadSentError(Exception):
    """Ends an operation whose answer would go on, once its head has been sent."""
