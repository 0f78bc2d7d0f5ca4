"""Clients of the event streams of threads, as browsers are: they resume after the last event."""

import asyncio
import json
import time

from strangle.history import History, Stream

_RETRY_SECONDS = 1.0
_LIMIT = 4 * 1024 * 1024


class StreamClient:
    """Follows the events of one thread until it is cancelled, and records them."""

    def __init__(self, port: int, thread: int, history: History) -> None:
        self._port = port
        self.record = Stream(thread, time.monotonic())
        history.streams.append(self.record)
        self.opened = asyncio.Event()

    async def run(self) -> None:
        """Open the stream, and open it again whenever it ends."""
        first = True
        while True:
            try:
                await self._follow(resuming=not first)
            except (OSError, ValueError, asyncio.IncompleteReadError) as error:
                self.record.problems.append(f"the stream broke off: {error!r}")
            self.record.resumed += 1
            first = False
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self, *, resuming: bool) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=_LIMIT)
        try:
            path = f"/api/posts/in-thread/{self.record.thread}/stream"
            last = self.record.ids[-1] if self.record.ids else self.record.first
            resume = f"Last-Event-ID: {last}\r\n" if resuming and last is not None else ""
            request = f"GET {path} HTTP/1.1\r\nHost: localhost:{self._port}\r\n{resume}\r\n"
            writer.write(request.encode())
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            if status != 200:
                self.record.problems.append(f"the stream could not be opened: {status}")
                return
            self.opened.set()
            await self._read(reader)
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Read the chunks of the response until it ends."""
        rest = b""
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            chunk = await reader.readexactly(size + 2)
            if size == 0:
                return
            *events, rest = (rest + chunk[:-2]).split(b"\n\n")
            for event in events:
                self._receive(event.decode())

    def _receive(self, event: str) -> None:
        fields = dict(line.split(": ", 1) for line in event.split("\n") if not line.startswith(":"))
        if "id" not in fields:
            return
        number = int(fields["id"])
        if "retry" in fields:
            # The beginning of a stream says from where it goes on.
            if self.record.first is None:
                self.record.first = number
            return
        # An event of a post that has been removed since has an id, and no data.
        self.record.ids.append(number)
        if fields.get("event") == "post":
            self.record.posts.add(json.loads(fields["data"])["id"])
