"""Wakes every coroutine that waits for an event that other code announces."""

import asyncio


class Broadcast:
    """Wakes all waiters at each notification.

    A caller that must miss nothing takes a `Waiter` first, reads the state, and then waits: a
    notification that arrives after the waiter was taken ends the wait at once.
    """

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self._closed = False

    def notify(self, _payload: str = "") -> None:
        """Wake the waiters that have been taken so far. The payload of a PostgreSQL notification is
        accepted and ignored, so that this method can be a `NotificationListener`'s callback."""
        self._next.set()
        if not self._closed:
            self._next = asyncio.Event()

    def close(self) -> None:
        """Wake all waiters and let no later one wait: the process is stopping."""
        self._closed = True
        self._next.set()

    def waiter(self) -> "Waiter":
        """A waiter for the next notification."""
        return Waiter(self._next)


class Waiter:
    """Waits for one notification."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    async def wait(self, seconds: float) -> None:
        """Return at the notification, or after `seconds` at the latest."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
