"""Runs the PostgreSQL server from asyncio and restarts it; blocking calls run in threads."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from laptop.errors import CannotRunError
from laptop.log import MergedLog
from laptop.postgres.server import PostgresServer
from laptop.processes.process import describe_exit
from laptop.processes.supervised import RestartBudget

_RESTART_AFTER = 0.1
"""Seconds of pause before a restart."""


class SupervisedDatabase:
    """A PostgreSQL server that is restarted until it is stopped."""

    def __init__(
        self,
        server: PostgresServer,
        log: MergedLog,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing runs before `start()`."""
        self.server = server
        self._log = log
        self._budget = RestartBudget(clock)
        self._stopping = False
        # One thread that lives as long as this object: the server stops when its thread ends.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres")

    async def start(self) -> None:
        """Start the server and wait until it answers. CannotRunError if it does not.

        If cancelled, it stops what it has started.
        """
        loop = asyncio.get_running_loop()
        starting = loop.run_in_executor(self._thread, self.server.start)
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            self.server.abandon()
            await asyncio.wait([starting])
            if not starting.cancelled():
                # Retrieves the exception, so that asyncio does not report it as never retrieved.
                starting.exception()
            raise

    async def supervise(self) -> None:
        """Restart the server whenever it ends, until `stop()` is called.

        CannotRunError if it does not start again, or ended more than five times in a minute.
        """
        loop = asyncio.get_running_loop()
        while True:
            code = await loop.run_in_executor(self._thread, self.server.wait)
            if self._stopping:
                return
            end = "\n".join(f"    {line}" for line in self.server.log_end())
            happened = (
                f"PostgreSQL ended unexpectedly: {describe_exit(code)}. Its last lines:\n{end}"
            )
            self._log.say("board", happened)
            if not self._budget.spend():
                raise CannotRunError("PostgreSQL ended six times within a minute")
            await asyncio.sleep(_RESTART_AFTER)
            await asyncio.to_thread(self.server.stop)
            await self.start()
            self._log.say("board", "restarted PostgreSQL")

    async def stop(self) -> None:
        """Stop the server, if it is running, and do not restart it."""
        self._stopping = True
        await asyncio.to_thread(self.server.stop)
        self._thread.shutdown()
