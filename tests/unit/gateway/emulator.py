"""A fake of AWS's Runtime Interface Emulator."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
Handler = Callable[[Event], object]


class Emulator:
    """Runs a handler for each posted event, one at a time, and records the events."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.events: list[Event] = []
        self.hang = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._running = 0
        self.most_at_once = 0

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"lambda+http://127.0.0.1:{port}"

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /2015-03-31/functions/function/invocations HTTP/1.1\r\n")
        [length] = [int(line[15:]) for line in head.split(b"\r\n") if b"Content-Length" in line]
        self.events.append(json.loads(await reader.readexactly(length)))
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        answer = self.handler(self.events[-1])
        if answer is HANG:
            await self.hang.wait()
            writer.close()
            return
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self._running -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()


HANG = object()
