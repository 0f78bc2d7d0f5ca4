"""uvicorn's protocol, with the board's answer to bytes that are not an HTTP request, and without
work for clients that have gone."""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kernel.errors import MalformedRequest
from kernel.process.tracing import begin


class ProblemProtocol(HttpToolsProtocol):
    """uvicorn's protocol, but with a problem document and a request id instead of plain text.

    If the client disconnects, the request is cancelled, and with it the database's work for it. A
    client's write is not: it goes on as if its response had been lost on the way.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._serve = self.app
        self.app = self._run
        self._request: asyncio.Task[Any] | None = None
        self._gone = False

    async def _run(self, scope: Any, receive: Any, send: Any) -> None:
        if _can_be_cancelled(scope):
            self._request = asyncio.current_task()
        try:
            await self._serve(scope, receive, send)
        except asyncio.CancelledError:
            if not self._gone:
                raise
            assert self._request is not None  # noqa: S101 - it was cancelled
            self._request.uncancel()
        finally:
            self._request = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the request of the client that has disconnected."""
        super().connection_lost(exc)
        if self._request is not None:
            self._gone = True
            self._request.cancel()

    def send_400_response(self, msg: str) -> None:
        """Send a problem and close the connection, because it is unknown where the next request
        begins."""
        request_id = begin(None, None).request_id
        problem = {
            "type": f"/problems/{MalformedRequest.slug}",
            "title": MalformedRequest.title,
            "status": MalformedRequest.status,
            "detail": "This is no HTTP request, or one with an unknown method.",
            "instance": "",
            "requestId": request_id,
        }
        body = json.dumps(problem).encode()
        head = [
            "HTTP/1.1 400 Bad Request",
            "content-type: application/problem+json",
            f"content-length: {len(body)}",
            f"x-request-id: {request_id}",
            "x-content-type-options: nosniff",
            "content-security-policy: default-src 'none'; frame-ancestors 'none'",
            "cache-control: no-store",
            "connection: close",
        ]
        self.logger.info("%s  %s", msg, request_id)
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()


def _can_be_cancelled(scope: Any) -> bool:
    """Whether the request changes nothing, or comes from another service, which repeats it."""
    return scope["method"] in ("GET", "HEAD") or scope["path"].startswith("/internal/")
