"""Delivers the activity of threads to the threads context, until it is acknowledged."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from kernel.contracts import Activity, Threads
from kernel.errors import Unavailable
from kernel.process.background import Sleep
from kernel.process.outage_log import OutageLog
from kernel.process.spans.tracer import span

log = logging.getLogger("board.delivery")

_BATCH = 100
_SPACING = 0.05
"""Seconds between two deliveries: under load, one has the activity of many posts."""


class Store(Protocol):
    """What `ActivityDelivery` needs of its store."""

    async def undelivered(self, limit: int) -> Sequence[Activity]:
        """Activities that are newer than those that threads has acknowledged."""

    async def mark_delivered(self, activities: Sequence[Activity]) -> None:
        """Store that threads has acknowledged these activities."""


class ActivityDelivery:
    """Delivers the activity of threads: immediately for posts that this process has stored, but at
    most twenty times a second, and every `interval` seconds for what a killed process left
    undelivered.

    Values are absolute and ordered by version, so several processes may deliver the same activity,
    and nothing is locked during a call to another context.
    """

    def __init__(
        self,
        store: Store,
        threads: Threads,
        interval: float = 2.0,
        timer: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`timer` returns seconds and is monotonic. `sleep` waits that many seconds between two
        deliveries."""
        self._store = store
        self._threads = threads
        self._interval = interval
        self._timer = timer
        self._sleep = sleep
        self._behind_since: float | None = None
        self._wanted = asyncio.Event()

    def lag(self) -> float:
        """For how many seconds there has been activity that could not be delivered."""
        return 0.0 if self._behind_since is None else self._timer() - self._behind_since

    def wake(self) -> None:
        """Call this when there is activity to deliver."""
        self._wanted.set()

    async def run(self) -> None:
        """Deliver until cancelled. An outage is logged when it begins and when it ends."""
        outage = OutageLog(log, "delivering activity")
        while True:
            self._wanted.clear()
            began = self._timer()
            try:
                delivered = number = await self.deliver()
                while number == _BATCH:
                    number = await self.deliver()
            except Unavailable as down:
                outage.failed(down)
                self._fell_behind(began)
                await asyncio.sleep(self._interval)
                continue
            except Exception:
                log.exception("activity could not be delivered")
                self._fell_behind(began)
                await asyncio.sleep(self._interval)
                continue
            outage.succeeded()
            self._behind_since = None
            if delivered:
                await self._sleep(_SPACING)
            try:
                async with asyncio.timeout(self._interval):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    def _fell_behind(self, began: float) -> None:
        if self._behind_since is None:
            self._behind_since = began

    async def deliver(self) -> int:
        """Deliver one batch. Returns the number of threads in it. Raises `Unavailable`."""
        activities = await self._store.undelivered(_BATCH)
        if not activities:
            return 0
        with span("deliver activity"):
            await self._threads.record_activity(activities)
            await self._store.mark_delivered(activities)
        return len(activities)
