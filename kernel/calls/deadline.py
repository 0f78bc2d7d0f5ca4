"""How long the caller of another service waits, as a header field of each call."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

FIELD: Final = "X-Request-Timeout-Ms"
"""The milliseconds for which the caller still waits, a whole number from 1 to 60,000. A duration,
not a moment, because the clocks of two machines differ."""

LONGEST_SECONDS: Final = 60.0

_VALUE = re.compile(rb"[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment at which the caller stops waiting, in seconds of `clock`, which is monotonic."""

    at: float
    clock: Callable[[], float]

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """The deadline in that many seconds."""
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """The seconds until then; 0 or less once it has passed."""
        return self.at - self.clock()


current_deadline: ContextVar[Deadline | None] = ContextVar("current_deadline", default=None)
"""The deadline of the call being served, or None if the caller sent none."""


@contextmanager
def expired() -> Iterator[None]:
    """Until the block ends, the deadline has passed: calls to other services fail at once."""
    restore = current_deadline.set(Deadline.after(0))
    try:
        yield
    finally:
        current_deadline.reset(restore)


def read(value: bytes) -> float | None:
    """The seconds in a field, or None if it has no valid value."""
    if not _VALUE.fullmatch(value) or int(value) > LONGEST_SECONDS * 1000:
        return None
    return int(value) / 1000


def write(seconds: float) -> str:
    """The value of the field for that many seconds, within its bounds."""
    return str(min(max(int(seconds * 1000), 1), int(LONGEST_SECONDS * 1000)))


def shortened(seconds: float) -> float:
    """The seconds that a call to another service may take: `seconds`, or what is left until the
    current deadline if that is less. 0 or less once that has passed."""
    deadline = current_deadline.get()
    return seconds if deadline is None else min(seconds, deadline.remaining())
