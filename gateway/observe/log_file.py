"""Writes a log without blocking the event loop."""

import os
import threading
from collections import deque
from typing import Final

_MAX_PENDING: Final = 8 * 1024 * 1024


class LogFile:
    """A file descriptor that a thread writes to.

    If the reader of a pipe, or the disk, is slower than the traffic, at most 8 MiB are buffered.
    Lines beyond that are dropped, and a line says how many.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Buffers complete lines for writing."""
        with self._changed:
            if self._size + len(data) > _MAX_PENDING:
                self._dropped += data.count(b"\n")
                return
            self._pending.append(data)
            self._size += len(data)
            self._changed.notify()

    def close(self, seconds: float = 5) -> None:
        """Writes what is pending, for at most ``seconds``. The descriptor stays open."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._pending and not self._closing:
                    self._changed.wait()
                data = b"".join(self._pending)
                self._pending.clear()
                self._size = 0
                if self._dropped:
                    data += b"access log: %d lines dropped\n" % self._dropped
                    self._dropped = 0
                if not data:
                    return
            try:
                _write_all(self._descriptor, data)
            except OSError:
                # The pipe is closed or the disk is full: serving requests is more important.
                continue


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
