"""Hearing what other processes tell through PostgreSQL (LISTEN and NOTIFY)."""

import asyncio
import logging
from collections.abc import Callable

import asyncpg

log = logging.getLogger("board.listen")

_CONNECT_TIMEOUT = 5.0
_ALIVE_EVERY = 30.0
_PAUSE = 1.0


class Listener:
    """The one listening connection of a context in a process. It is made anew for as long as it
    takes; then `heard` is called with an empty payload, since whatever was told in between has not
    been heard."""

    def __init__(self, url: str, channel: str, heard: Callable[[str], None]) -> None:
        self._url = url
        self._channel = channel
        self._heard = heard

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
                self._channel, lambda _connection, _pid, _channel, payload: self._heard(payload)
            )
            self._heard("")
            while not lost.is_set():
                try:
                    await asyncio.wait_for(lost.wait(), _ALIVE_EVERY)
                except TimeoutError:
                    # A peer that vanished without a word is noticed by asking.
                    await connection.fetchval("SELECT 1", timeout=_CONNECT_TIMEOUT)
        finally:
            connection.terminate()
