"""Waits for a state that other tasks or processes bring about."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_INTERVAL = 0.02  # seconds between two calls


async def eventually(
    condition: Callable[[], Awaitable[T | None]], within: float = 10.0, what: str = "the condition"
) -> T:
    """Call `condition` until it returns a true value, and return that value.

    After `within` seconds, raises AssertionError with `what`, the description of the condition.
    """
    deadline = time.monotonic() + within
    while not (result := await condition()):
        assert time.monotonic() < deadline, _too_late(what, within)
        await asyncio.sleep(_INTERVAL)
    return result


def eventually_blocking(
    condition: Callable[[], T | None], within: float = 10.0, what: str = "the condition"
) -> T:
    """`eventually` for synchronous code."""
    deadline = time.monotonic() + within
    while not (result := condition()):
        assert time.monotonic() < deadline, _too_late(what, within)
        time.sleep(_INTERVAL)
    return result


def _too_late(what: str, within: float) -> str:
    return f"not within {within:g} s: {what}"
