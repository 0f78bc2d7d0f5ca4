"""Whether this process is draining."""

import asyncio
from collections.abc import Awaitable, Callable

Check = Callable[[], Awaitable[None]]
"""Raises `Unavailable` if this process cannot serve."""


class Lifecycle:
    """The process serves until it is asked to stop; then it drains: not ready, but still
    answering."""

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
        """Wait until the process is asked to stop."""
        await self._draining.wait()

    async def when_draining(self, do: Callable[[], None]) -> None:
        """Call `do` when the process is asked to stop."""
        await self.wait_until_draining()
        do()
