"""Polling with a deadline."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from deploy.errors import TookTooLongError

Found = TypeVar("Found")

_FIRST_PAUSE: Final = 0.3
_LONGEST_PAUSE: Final = 3.0
_GROWTH: Final = 1.3


@dataclass(frozen=True)
class Poller:
    """Polls until a deadline, by a monotonic clock and a sleep, both in seconds."""

    now: Callable[[], float]
    sleep: Callable[[float], None]

    def until(self, probe: Callable[[], Found | None], within: float, what: str) -> Found:
        """Call `probe` with growing pauses until it returns something other than None, and return
        that. Raises `TookTooLongError`, whose text begins with `what`, after `within` seconds."""
        began, pause = self.now(), _FIRST_PAUSE
        while (found := probe()) is None:
            if self.now() - began > within:
                raise TookTooLongError(f"{what}: not within {within / 60:.0f} minutes")
            self.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)
        return found
