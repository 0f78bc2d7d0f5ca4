"""Waiting for something that happens elsewhere."""

import asyncio


class Bell:
    """Wakes everybody who waits. Take an `Ear` first, then look, then wait: what happened after
    the ear was taken wakes at once."""

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self._closed = False

    def ring(self, _what: str = "") -> None:
        """It happened."""
        self._next.set()
        if not self._closed:
            self._next = asyncio.Event()

    def close(self) -> None:
        """Nobody waits any more, now or later: the process is stopping."""
        self._closed = True
        self._next.set()

    def ear(self) -> "Ear":
        """Hears the next time it happens."""
        return Ear(self._next)


class Ear:
    """Hears one ring."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    async def wait(self, seconds: float) -> None:
        """Returns when it happens, or after so many seconds."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            pass
