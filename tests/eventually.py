"""Waiting for what comes about by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually(condition: Callable[[], Awaitable[bool]], within: float = 10.0) -> float:
    """Ask until the answer is yes; how many seconds that took. Fails after `within` seconds."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < within, f"not within {within:g} s"
        await asyncio.sleep(0.02)
    return time.monotonic() - began
