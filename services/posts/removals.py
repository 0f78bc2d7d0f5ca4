"""Hides the posts of removed threads."""

import asyncio
import logging
from typing import Protocol

from kernel.contracts import Removals, Threads
from kernel.process.background import Sleep, repeat
from kernel.process.spans.tracer import span

log = logging.getLogger("board.removals")

_PATIENCE = 20.0
_PAUSE = 1.0
_BREATH = 0.2


class Store(Protocol):
    """What `RemovalFollower` needs of its store."""

    async def removal_position(self) -> int:
        """The position up to which removals have been stored."""

    async def apply_removals(self, removals: Removals) -> None:
        """Hide the posts of these threads and store the new position, in one transaction."""


class RemovalFollower:
    """Requests removals after the stored position from the threads context, and waits for more.

    The position is stored with the removals, so a process that was down misses none. Several
    processes may do this at the same time."""

    def __init__(
        self,
        store: Store,
        threads: Threads,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`sleep` waits that many seconds."""
        self._store = store
        self._threads = threads
        self._sleep = sleep

    async def run(self) -> None:
        """Follow until cancelled."""
        await repeat(
            self._attempt, log, "following removals of threads", pause=_PAUSE, sleep=self._sleep
        )

    async def _attempt(self) -> float:
        # A stopping threads service answers without waiting.
        return 0.0 if await self.follow(_PATIENCE) else _BREATH

    async def follow(self, patience: float) -> bool:
        """Apply the next removals, waiting for one at most `patience` seconds. Returns whether
        there were any. Raises `Unavailable`."""
        position = await self._store.removal_position()
        removals = await self._threads.removed(position, patience)
        if removals.position <= position:
            return False
        with span("hide the posts of removed threads"):
            await self._store.apply_removals(removals)
        return True
