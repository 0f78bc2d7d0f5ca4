"""Breaks a process on purpose, to see what the rest of the board does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

FAULTS: Final = ("kill", "freeze", "slow", "mend")
"""`kill` ends the process, and it is restarted. `freeze` stops it until `mend`: it keeps its
connections, and answers nothing. `slow` lets it work a fifth of the time, until `mend`."""

STOPPED_SECONDS: Final = 0.23
WORKING_SECONDS: Final = 0.06


class Breakable(Protocol):
    """What faults need of a process; `SupervisedProcess` has it."""

    def crash(self) -> None:
        """End it; it is restarted."""

    def freeze(self) -> None:
        """Stop it until `thaw()`."""

    def thaw(self) -> None:
        """Let it continue."""


class Faults:
    """The faults of one process."""

    def __init__(
        self, process: Breakable, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._process = process
        self._sleep = sleep
        self._slowing: asyncio.Task[None] | None = None

    def apply(self, fault: str) -> None:
        """Apply one of FAULTS, instead of the one before."""
        if self._slowing is not None:
            self._slowing.cancel()
            self._slowing = None
        self._process.thaw()
        if fault == "kill":
            self._process.crash()
        elif fault == "freeze":
            self._process.freeze()
        elif fault == "slow":
            self._slowing = asyncio.create_task(self._slow())

    async def _slow(self) -> None:
        while True:
            self._process.freeze()
            await self._sleep(STOPPED_SECONDS)
            self._process.thaw()
            await self._sleep(WORKING_SECONDS)
