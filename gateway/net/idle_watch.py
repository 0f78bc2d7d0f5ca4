"""One timer for all timeouts: a timer for each request would cost more than routing it."""

import asyncio
from typing import Protocol


class Watched(Protocol):
    """An object with timeouts."""

    def check(self, now: float) -> None:
        """Called at every tick, with the loop's time in seconds."""


class IdleWatch:
    """Calls ``check`` of everything in ``watched`` every ``tick`` seconds.

    ``now`` is the loop's time at the last tick: exact enough for timeouts, and fast to read.
    """

    __slots__ = ("_handle", "_loop", "_tick_seconds", "now", "watched")

    def __init__(self, loop: asyncio.AbstractEventLoop, tick: float) -> None:
        self._loop = loop
        self._tick_seconds = tick
        self._handle: asyncio.TimerHandle | None = None
        self.now = loop.time()
        self.watched: set[Watched] = set()

    def start(self) -> None:
        """Starts the timer."""
        self._handle = self._loop.call_later(self._tick_seconds, self._tick)

    def stop(self) -> None:
        """Stops the timer."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _tick(self) -> None:
        self.now = self._loop.time()
        self.start()
        for watched in tuple(self.watched):
            watched.check(self.now)
