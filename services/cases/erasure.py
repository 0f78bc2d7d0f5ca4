"""Erases reporters who have deleted their accounts from their reports."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from kernel.contracts import UserModeration
from kernel.errors import Unavailable

log = logging.getLogger("board.erasure")

_INTERVAL: Final = 600.0
_AT_ONCE: Final = 1_000


class Store(Protocol):
    """What `Erasure` needs of its store; `services.cases.erasure_store.ErasureStore` has it in
    PostgreSQL."""

    async def reporters(self, after: int, limit: int) -> Sequence[int]: ...

    async def erase(self, reporters: Sequence[int]) -> None: ...


class Erasure:
    """Asks the users context every ten minutes which reporters have deleted their accounts, and
    removes their ids and notes from the reports. The reports stay, as part of their cases.

    The users context must not call cases, because cases calls users."""

    def __init__(self, store: Store, users: UserModeration) -> None:
        self._store = store
        self._users = users

    async def run(self) -> None:
        """Erase until cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL)
            try:
                await self.erase()
            except Unavailable as down:
                log.info("reports of deleted accounts stay for now: %s", down.detail)
            except Exception:
                log.exception("reports of deleted accounts could not be erased")

    async def erase(self) -> None:
        """Ask about all reporters once. Raises `Unavailable`."""
        last = 0
        while reporters := await self._store.reporters(last, _AT_ONCE):
            last = reporters[-1]
            departed = await self._users.departed(reporters)
            if departed:
                await self._store.erase(departed)
