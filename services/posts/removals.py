"""Learns from threads which of them have been removed."""

import asyncio
import logging

from kernel.contracts import Threads
from kernel.errors import Unavailable
from services.posts.store import PostStore

log = logging.getLogger("board.removals")

_PATIENCE = 20.0
_PAUSE = 1.0


class RemovalFollower:
    """Asks threads what has been removed since it last asked, and waits there for more. What has
    been read is kept, so a process that was down misses nothing; several may do so at once."""

    def __init__(self, store: PostStore, threads: Threads) -> None:
        self._store = store
        self._threads = threads

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self.follow(_PATIENCE)
            except Unavailable as down:
                log.debug("removals wait: %s", down.detail)
                await asyncio.sleep(_PAUSE)
            except Exception:
                log.exception("removals could not be taken over")
                await asyncio.sleep(_PAUSE)

    async def follow(self, patience: float) -> None:
        """Take over what has been removed; wait for it as long as that. Raises `Unavailable`."""
        position = await self._store.removal_position()
        removals = await self._threads.removed(position, patience)
        if removals.position > position:
            await self._store.take_over(removals)
