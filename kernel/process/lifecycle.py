"""Whether this process still wants traffic."""

import asyncio
from collections.abc import Awaitable, Callable

Check = Callable[[], Awaitable[None]]
"""Raises `Unavailable` when this process cannot serve."""


class Lifecycle:
    """Serving, until it is asked to stop; then draining: no longer ready, and still answering."""

    def __init__(self) -> None:
        self._draining = asyncio.Event()

    @property
    def draining(self) -> bool:
        """True from the moment the process is asked to stop."""
        return self._draining.is_set()

    def drain(self) -> None:
        """Ask the process to stop."""
        self._draining.set()

    async def wait_until_draining(self) -> None:
        """Returns when the process is asked to stop."""
        await self._draining.wait()

    async def when_draining(self, do: Callable[[], None]) -> None:
        """Do something when the process is asked to stop."""
        await self.wait_until_draining()
        do()
