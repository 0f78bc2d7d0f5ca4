"""The time, as a dependency that is passed as an argument."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two readings of the time, both in seconds."""

    def wall(self) -> float:
        """Seconds since 1970, for logs and headers; it may jump."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment, for durations; it never goes back."""


class SystemClock:
    """The machine's clock."""

    wall = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)
