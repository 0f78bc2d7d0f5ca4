"""Erases people who have deleted their accounts from what a context stores of them."""

import logging
from collections.abc import Sequence
from typing import Final, Protocol

from kernel.contracts import Departures
from kernel.process.background import repeat
from kernel.process.spans.tracer import span

log = logging.getLogger("board.erasure")

_INTERVAL: Final = 600.0
_AT_ONCE: Final = 1_000


class Store(Protocol):
    """The people of whom a context stores something. `people` lists their ids in order, at most
    `limit` after the id `after`."""

    async def people(self, after: int, limit: int) -> Sequence[int]: ...

    async def erase(self, people: Sequence[int]) -> None: ...


class Erasure:
    """Asks the users context every ten minutes which of the people in a store have deleted their
    accounts, and erases those from it. The users context must not call others, because they call
    users."""

    def __init__(self, store: Store, users: Departures) -> None:
        self._store = store
        self._users = users

    async def run(self) -> None:
        """Erase until cancelled."""
        await repeat(
            self._attempt, log, "erasing deleted accounts", pause=_INTERVAL, first=_INTERVAL
        )

    async def _attempt(self) -> float:
        await self.erase()
        return _INTERVAL

    async def erase(self) -> None:
        """Ask about everybody once. Raises `Unavailable`."""
        last = 0
        while people := await self._store.people(last, _AT_ONCE):
            last = people[-1]
            with span("erase departed users"):
                departed = await self._users.departed(people)
                if departed:
                    await self._store.erase(departed)
