"""Hides the posts of removed threads."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from kernel.contracts import Removals, Threads
from kernel.errors import Unavailable
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
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`sleep` waits that many seconds."""
        self._store = store
        self._threads = threads
        self._sleep = sleep

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                if not await self.follow(_PATIENCE):
                    # A stopping threads service answers without waiting.
                    await self._sleep(_BREATH)
            except Unavailable as down:
                log.debug("removals cannot be requested: %s", down.detail)
                await self._sleep(_PAUSE)
            except Exception:
                log.exception("removals could not be applied")
                await self._sleep(_PAUSE)

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
