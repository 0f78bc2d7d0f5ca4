"""Notices that PostgreSQL hangs: it takes connections and statements, and answers none."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

log = logging.getLogger("board.database")

PATIENCE: Final = 0.3
"""Seconds without any answer after which the server is asked whether it is there. It then has one
and a half times as long to answer, so that a client has its own answer within a second."""

_TICKS: Final = 4
_TICKS_FOR_ANSWER: Final = 6
_PAUSE: Final = 0.2


class Connection(Protocol):
    """What is needed of a connection of asyncpg."""

    def terminate(self) -> None:
        """Close it at once; a statement that waits on it fails."""


class _Wait:
    """A wait for a connection, which ends early if the server hangs."""

    def __init__(self, limit: asyncio.Timeout) -> None:
        self._limit = limit

    def terminate(self) -> None:
        self._limit.reschedule(asyncio.get_running_loop().time())


class HangDetector:
    """Follows the connections in use, and the waits for one. If one of them lasts longer than
    `patience`, and meanwhile no other statement was answered, it asks the server on a connection of
    its own. If that is not answered either, it closes the connections in use and ends the waits, so
    that nobody waits any longer. A statement that is only slow is left alone.

    Then it asks until there is an answer; until then, `hangs` is true.
    """

    def __init__(self, ask: Callable[[], Awaitable[bool]], patience: float = PATIENCE) -> None:
        """`ask` returns whether the server has answered, or never returns."""
        self.hangs = False
        self._ask = ask
        self._patience = patience
        self._tick = patience / _TICKS
        self._since: dict[Connection, float] = {}
        self._answered = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    def begin(self, connection: Connection) -> None:
        """A connection is in use from now on."""
        self._since[connection] = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._tick, self._look)

    def end(self, connection: Connection, *, answered: bool) -> None:
        """A connection is no longer in use; `answered` says whether all went well."""
        del self._since[connection]
        if answered:
            self._answered = self._loop.time()

    @asynccontextmanager
    async def waiting(self, seconds: float) -> AsyncIterator[None]:
        """A wait for a connection, in the block. Raises `TimeoutError` after that many seconds, or
        once the server is found to hang."""
        async with asyncio.timeout(seconds) as limit:
            self.begin(wait := _Wait(limit))
            try:
                yield
            finally:
                self.end(wait, answered=False)

    async def close(self) -> None:
        """Stop looking and asking."""
        if self._timer is not None:
            self._timer.cancel()
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _look(self) -> None:
        self._timer = None
        if not self._since:
            return
        # The first one is the oldest.
        silent_since = max(next(iter(self._since.values())), self._answered)
        if self._asking is None and self._loop.time() - silent_since >= self._patience:
            self._asking = self._loop.create_task(self._find_out())
        self._timer = self._loop.call_later(self._tick, self._look)

    async def _find_out(self) -> None:
        began = self._loop.time()
        asked = self._loop.create_task(self._until_answered())
        try:
            for _ in range(_TICKS_FOR_ANSWER):
                # Several short waits: one in which this process did not run is not the server's.
                await asyncio.wait({asked}, timeout=self._tick)
                if asked.done() or self._answered >= began:
                    return
            self._give_up()
            await asked
            log.info("the database answers again")
        finally:
            self._answered = self._loop.time()
            asked.cancel()
            self.hangs = False
            self._asking = None

    def _give_up(self) -> None:
        log.warning("the database hangs; ending %d uses of it", len(self._since))
        self.hangs = True
        for connection in [*self._since]:
            connection.terminate()

    async def _until_answered(self) -> None:
        while not await self._ask():  # noqa: ASYNC110 - the server sends no event
            await asyncio.sleep(_PAUSE)
