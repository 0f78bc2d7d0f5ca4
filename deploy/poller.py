"""Waiting, with a deadline."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from deploy.errors import TookTooLongError

Found = TypeVar("Found")

_FIRST: Final = 0.3
_LONGEST: Final = 5.0
_GROWTH: Final = 1.5


@dataclass(frozen=True)
class Pace:
    """How to wait: a clock that never goes back, and a sleep, both in seconds."""

    now: Callable[[], float]
    sleep: Callable[[float], None]

    def until(self, look: Callable[[], Found | None], within: float, what: str) -> Found:
        """Look again and again, ever more slowly, until something is found. Raises
        `TookTooLongError`, which names `what`, after `within` seconds."""
        began, pause = self.now(), _FIRST
        while (found := look()) is None:
            if self.now() - began > within:
                raise TookTooLongError(f"{what}: not within {within / 60:.0f} minutes")
            self.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST)
        return found
