"""PostgreSQL notifications from other processes (LISTEN and NOTIFY)."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

import asyncpg

log = logging.getLogger("board.listen")

CURRENT_SECONDS: Final = 2.0
"""How long after sending an answered query a listener counts as current."""

_CONNECT_TIMEOUT: Final = 5.0
_ASK_EVERY: Final = 0.5
_ASK_TIMEOUT: Final = 1.0
_IDLE_EVERY: Final = 30.0
_PAUSE: Final = 1.0

OnNotification = Callable[[str], None]


class NotificationListener:
    """Calls a channel's function with the payload of each notification on the channel.

    It has one connection of its own for all channels, and reconnects after a failure. After each
    connect it calls every function with an empty payload, because notifications may have been lost
    and anything may have changed.
    """

    def __init__(
        self,
        url: str,
        channels: Mapping[str, OnNotification],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._channels = channels
        self._timer = timer
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._asked = -CURRENT_SECONDS
        self._wanted = False
        self._upcoming: asyncio.Task[None] | None = None
        self._asking = asyncio.Lock()

    @property
    def current(self) -> bool:
        """Whether every notification that was committed more than `CURRENT_SECONDS` ago has been
        passed on. PostgreSQL sends pending notifications before it answers a query, so the listener
        is current if the last answered query was sent recently. This also detects a lost network.
        Queries are only sent while this property is read."""
        self._wanted = True
        return self._connection is not None and self._timer() - self._asked < CURRENT_SECONDS

    async def catch_up(self) -> None:
        """Wait until every notification that was committed before the call has been passed on, or
        the connection is lost; the listener is then not current."""
        if self._connection is None:
            return
        if self._upcoming is None:
            self._upcoming = asyncio.create_task(self._ask(self._connection))
        await asyncio.shield(self._upcoming)

    async def run(self) -> None:
        """Listen until cancelled."""
        names = ", ".join(self._channels)
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.info("not listening to %s: %r", names, error)
            except Exception:
                log.exception("not listening to %s", names)
            finally:
                self._connection = None
            await asyncio.sleep(_PAUSE)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=_CONNECT_TIMEOUT)
        lost = asyncio.Event()

        def end(_connection: object) -> None:
            self._connection = None
            lost.set()

        try:
            connection.add_termination_listener(end)
            asked = self._timer()
            for channel, on_notification in self._channels.items():
                await connection.add_listener(
                    channel,
                    lambda _connection, _pid, _channel, payload, call=on_notification: call(
                        payload
                    ),
                )
            for on_notification in self._channels.values():
                on_notification("")
            if not connection.is_closed():
                self._connection, self._asked = connection, asked
            await self._keep_asking(connection, lost)
        finally:
            connection.terminate()

    async def _keep_asking(
        self, connection: "asyncpg.Connection[asyncpg.Record]", lost: asyncio.Event
    ) -> None:
        while not lost.is_set():
            try:
                async with asyncio.timeout(_ASK_EVERY):
                    await lost.wait()
            except TimeoutError:
                # Only an answer shows that the server has not vanished without closing the
                # connection.
                if self._wanted or self._timer() - self._asked > _IDLE_EVERY:
                    self._wanted = False
                    await self._ask(connection)

    async def _ask(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        async with self._asking:  # callers of `catch_up` from now on need the next query
            self._upcoming = None
            asked = self._timer()
            try:
                await connection.execute("SELECT", timeout=_ASK_TIMEOUT)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                if self._connection is connection:
                    self._connection = None
                connection.terminate()
            else:
                self._asked = asked
