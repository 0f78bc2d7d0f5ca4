"""PostgreSQL notifications from other processes (LISTEN and NOTIFY)."""

import asyncio
import logging
from collections.abc import Callable

import asyncpg

log = logging.getLogger("board.listen")

_CONNECT_TIMEOUT = 5.0
_ALIVE_EVERY = 30.0
_PAUSE = 1.0


class NotificationListener:
    """Calls `on_notification` with the payload of each notification on `channel`.

    It has a connection of its own, and reconnects until it succeeds. After each connect it calls
    `on_notification` with an empty payload: notifications that were sent before are lost, so
    anything may have changed.
    """

    def __init__(self, url: str, channel: str, on_notification: Callable[[str], None]) -> None:
        self._url = url
        self._channel = channel
        self._on_notification = on_notification

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.info("not listening to %s: %r", self._channel, error)
            except Exception:
                log.exception("not listening to %s", self._channel)
            await asyncio.sleep(_PAUSE)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=_CONNECT_TIMEOUT)
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(
                self._channel,
                lambda _connection, _pid, _channel, payload: self._on_notification(payload),
            )
            self._on_notification("")
            while not lost.is_set():
                try:
                    await asyncio.wait_for(lost.wait(), _ALIVE_EVERY)
                except TimeoutError:
                    # Only a query shows that the peer vanished without closing the connection.
                    await connection.fetchval("SELECT 1", timeout=_CONNECT_TIMEOUT)
        finally:
            connection.terminate()
