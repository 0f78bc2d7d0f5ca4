"""A process that is restarted when it ends unexpectedly."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from laptop.errors import CannotRunError
from laptop.log import MergedLog
from laptop.processes.process import Process, Program, describe_exit, indented

MOST_RESTARTS: Final = 5
RESTART_WINDOW: Final = 60.0
"""Seconds within which a process may be restarted `MOST_RESTARTS` times."""


class RestartBudget:
    """Limits restarts to `most` within any `window` seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        most: int = MOST_RESTARTS,
        window: float = RESTART_WINDOW,
    ) -> None:
        """`clock` returns seconds and is monotonic."""
        self._clock = clock
        self._most = most
        self._window = window
        self._restarts: deque[float] = deque()

    def spend(self) -> bool:
        """Whether one more restart is allowed now. An allowed restart is counted."""
        now = self._clock()
        while self._restarts and now - self._restarts[0] >= self._window:
            self._restarts.popleft()
        if len(self._restarts) >= self._most:
            return False
        self._restarts.append(now)
        return True


class SupervisedProcess:
    """A process that is restarted whenever it ends, until it is stopped.

    A restart runs what `program` is by then.
    """

    def __init__(
        self,
        program: Program,
        log: MergedLog,
        *,
        restart_after: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`restart_after` is the pause before a restart, in seconds."""
        self.program = program
        self._log = log
        self._restart_after = restart_after
        self._budget = RestartBudget(clock)
        self._process: Process | None = None
        self._established = False
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Start the process; `supervise()` restarts it."""
        self._process = Process(self.program, self._log)

    def establish(self) -> None:
        """Mark the start as successful: from now on the process is restarted if it ends."""
        self._established = True

    async def supervise(self) -> None:
        """Restart the process whenever it ends, until `stop()` is called.

        Raises:
            CannotRunError: it ended before `establish()`, because a start that failed once fails
                again; or it ended more than five times within a minute.
        """
        name = self.program.name
        while self._process is not None and not self._stopping.is_set():
            process = self._process
            code = await process.wait()
            if self._stopping.is_set():
                return
            happened = f"{name} ended unexpectedly: {describe_exit(code)}"
            if process.last_lines:
                happened += f". Its last lines:\n{indented(process.last_lines)}"
            if not self._established:
                raise CannotRunError(happened)
            self._log.say(name, happened)
            if not self._budget.spend():
                raise CannotRunError(f"{name} ended six times within a minute")
            try:
                async with asyncio.timeout(self._restart_after):
                    await self._stopping.wait()
                return
            except TimeoutError:
                self.start()
            self._log.say(name, f"restarted {name}")

    async def stop(self, patience: float) -> None:
        """Send SIGTERM, and SIGKILL after `patience` seconds, and do not restart the process."""
        self._stopping.set()
        if self._process is not None:
            await self._process.stop(patience)

    def crash(self) -> None:
        """Send SIGKILL; the process is restarted, as after any unexpected end."""
        if self._process is not None:
            self._process.kill()

    def freeze(self) -> None:
        """Stop the process in the middle of what it does, until `thaw()`."""
        if self._process is not None:
            self._process.freeze()

    def thaw(self) -> None:
        """Let the process continue."""
        if self._process is not None:
            self._process.thaw()

    def kill(self) -> None:
        """Send SIGKILL, and do not restart the process. A `stop()` in progress then returns."""
        self._stopping.set()
        if self._process is not None:
            self._process.kill()
