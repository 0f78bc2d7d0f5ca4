"""The time, as an argument."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two readings of the time, both in seconds."""

    def wall(self) -> float:
        """Since 1970, for people and headers; it may jump."""

    def monotonic(self) -> float:
        """Since some moment, for durations; it never goes back."""


class SystemClock:
    """The machine's clock."""

    wall = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)
