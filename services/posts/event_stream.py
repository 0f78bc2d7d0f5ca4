"""A response with server-sent events, which ends when the client disconnects."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi.responses import StreamingResponse
from starlette.types import Send

PATIENCE = 30.0
"""Seconds for which a client may read nothing."""


class EventStream(StreamingResponse):
    """Server-sent events (HTML standard, section 9.2).

    The generator of events is closed with the response, not by the garbage collector. A client that
    reads nothing for `patience` seconds is disconnected.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None], patience: float = PATIENCE) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store"})
        # Without a charset: this type has no such parameter, and is always UTF-8.
        self.headers["Content-Type"] = self.media_type
        self._events = events
        self._patience = patience

    async def stream_response(self, send: Send) -> None:
        """Send the events until they end or the client disconnects."""
        async with aclosing(self._events) as events:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            async for data in events:
                try:
                    async with asyncio.timeout(self._patience):
                        await send({"type": "http.response.body", "body": data, "more_body": True})
                except TimeoutError:
                    return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
