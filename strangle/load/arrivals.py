"""Requests that arrive at random times, whatever became of those before them."""

import asyncio
import random
import time

from strangle.load.visitors import Visitors

_DRAIN_SECONDS = 20.0


class Arrivals:
    """The load: visitors who arrive `rate` times in a second, on average.

    They do not wait for the responses of others. A client that waited for a slow server before its
    next request would measure the server as faster than it is.
    """

    def __init__(self, visitors: Visitors, rate: float, choices: random.Random) -> None:
        self._visitors = visitors
        self._rate = rate
        self._random = choices
        self._requests: set[asyncio.Task[None]] = set()
        self._most = 0
        self._defect: BaseException | None = None

    async def run(self) -> None:
        """Let visitors arrive until cancelled. Call `drain()` afterwards."""
        due = time.monotonic()
        while True:
            due += self._random.expovariate(self._rate)
            # Behind schedule, it still lets the responses in between.
            await asyncio.sleep(max(due - time.monotonic(), 0.0))
            task = asyncio.create_task(self._visitors.act(due))
            self._requests.add(task)
            self._most = max(self._most, len(self._requests))
            task.add_done_callback(self._ended)

    def most_at_once(self) -> int:
        """How many visitors waited for a response at the same time, at most, since the last call of
        this method."""
        most, self._most = self._most, len(self._requests)
        return most

    async def drain(self) -> None:
        """Wait for the responses to what was sent. Raises the first unexpected exception of a
        visitor, which is a defect of the load."""
        if self._requests:
            await asyncio.wait(self._requests, timeout=_DRAIN_SECONDS)
        if self._defect is not None:
            raise self._defect

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._requests.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._defect = error
