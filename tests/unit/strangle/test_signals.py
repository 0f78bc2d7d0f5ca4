"""What stops a play."""

import asyncio
import os
import signal

import pytest

from strangle.__main__ import stop_at_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_a_play(number: signal.Signals) -> None:
    async def stopped() -> bool:
        stop = asyncio.Event()
        stop_at_signals(stop)
        os.kill(os.getpid(), number)
        async with asyncio.timeout(30):
            return await stop.wait()

    # In an event loop of its own, whose end removes the handlers.
    assert asyncio.run(stopped())
