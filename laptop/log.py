"""One log for several processes: each line starts with the process's name, in its own colour."""

import asyncio
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
_LONGEST_LINE = 1024 * 1024
_CHUNK = 64 * 1024


def wants_colour(is_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether to use colours: on terminals, unless NO_COLOR is set (https://no-color.org)."""
    return is_terminal and not environment.get("NO_COLOR")


class MergedLog:
    """Writes whole lines to one descriptor, in a separate thread.

    If the reader stops reading, as a paused terminal does, signals are still handled, and only
    processes that write to the log have to wait. A process that writes much cannot crowd out the
    others: at most one chunk of each is queued. Bytes are written unchanged, in any encoding.
    """

    def __init__(self, descriptor: int, *, names: Sequence[str], colour: bool) -> None:
        """`names` are all processes that will log; they set the column's width and the colours."""
        self._descriptor = descriptor
        self._width = max((len(name) for name in names), default=0)
        self._colours = {
            name: _COLOURS[index % len(_COLOURS)] if colour else None
            for index, name in enumerate(names)
        }
        self._queue: queue.SimpleQueue[tuple[bytes, Callable[[], None] | None] | None]
        self._queue = queue.SimpleQueue()
        # A daemon thread: an output that blocks forever must not keep the process from ending.
        self._writer = threading.Thread(target=self._write_queued, name="log", daemon=True)
        self._writer.start()

    def say(self, name: str, text: str) -> None:
        """Log the lines of `text` under `name`; returns at once."""
        lines = text.encode("utf-8", "surrogateescape").split(b"\n")
        self._queue.put((self._format(name, lines), None))

    def show(self, text: str) -> None:
        """Write `text` and a line end as they are, without a name; returns at once."""
        self._queue.put((text.encode("utf-8", "surrogateescape") + b"\n", None))

    async def follow(
        self, name: str, output: asyncio.StreamReader, last_lines: deque[bytes] | None = None
    ) -> None:
        """Log the lines of `output` until it ends, and append them to `last_lines`.

        The next chunk is read only after the previous one was written. A line longer than 1 MiB is
        split.
        """
        rest = b""
        while chunk := await output.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                lines.append(rest)
                rest = b""
            if lines:
                await self._log(name, lines, last_lines)
        if rest:
            await self._log(name, [rest], last_lines)

    def close(self, timeout: float = 2.0) -> None:
        """Write what is queued, waiting for the reader for `timeout` seconds at most."""
        self._queue.put(None)
        self._writer.join(timeout)

    async def _log(self, name: str, lines: list[bytes], last_lines: deque[bytes] | None) -> None:
        lines = [line.removesuffix(b"\r") for line in lines]
        if last_lines is not None:
            last_lines.extend(lines)
        loop = asyncio.get_running_loop()
        written = asyncio.Event()

        def notify() -> None:
            try:
                loop.call_soon_threadsafe(written.set)
            except RuntimeError:
                # The loop was closed in the meantime, so nobody is waiting.
                pass

        self._queue.put((self._format(name, lines), notify))
        await written.wait()

    def _format(self, name: str, lines: list[bytes]) -> bytes:
        column = f"{name:<{self._width}} | "
        colour = self._colours.get(name)
        if colour is not None:
            column = f"\x1b[{colour}m{column}\x1b[0m"
        prefix = column.encode()
        return b"".join(prefix + line + b"\n" for line in lines)

    def _write_queued(self) -> None:
        broken = False
        while (item := self._queue.get()) is not None:
            data, notify = item
            try:
                while data and not broken:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                # The reader has closed the output. The board goes on running without a log.
                broken = True
            if notify is not None:
                notify()
