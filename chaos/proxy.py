"""A TCP proxy between services, which can slow down, withhold, reset or replace responses."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Final

SLOW_SECONDS: Final = 0.3
"""By how much a slow service answers later: within the time limit of a call."""

_GARBAGE: Final = b"\x15\x03\x01\x00\x02\x02\x50 this is not HTTP\r\n\r\n"
_CHUNK: Final = 65_536


class Mode(Enum):
    """What happens to a request: it is passed on, passed on later, never answered, answered by a
    reset, or answered with bytes that are not HTTP."""

    NONE = "none"
    SLOW = "slow"
    HANG = "hang"
    RESET = "reset"
    GARBAGE = "garbage"


class Proxy:
    """Passes connections to `port` on to `upstream`, a port of this machine, in the current `mode`.

    `harmed` counts the requests that met another mode than NONE.
    """

    def __init__(self) -> None:
        self.mode = Mode.NONE
        self.upstream = 0
        self.port = 0
        self.harmed = 0
        self._changed = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    def set(self, mode: Mode) -> None:
        """Change the mode, also of open connections. Those that hang are closed."""
        self.mode = mode
        self._changed.set()
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """Listen on a free port until the block ends."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in [*self._connections]:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - start_server made it
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            await self._pass_on(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # either side has closed, or the run has ended
        finally:
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        below, above = await asyncio.open_connection("127.0.0.1", self.upstream)
        back = asyncio.create_task(_copy(below, writer))
        try:
            while data := await reader.read(_CHUNK):
                if self.mode is not Mode.NONE and not await self._harm(writer):
                    return
                above.write(data)
                await above.drain()
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            above.close()

    async def _harm(self, writer: asyncio.StreamWriter) -> bool:
        """Apply the mode to a request. Returns whether it is passed on."""
        self.harmed += 1
        if self.mode is Mode.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
            return True
        if self.mode is Mode.HANG:
            await self._changed.wait()
        elif self.mode is Mode.GARBAGE:
            writer.write(_GARBAGE)
            await writer.drain()
        elif self.mode is Mode.RESET:
            connection = writer.get_extra_info("socket")
            # Closing then sends RST instead of FIN (socket(7), SO_LINGER).
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return False


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
