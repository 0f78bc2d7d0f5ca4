"""A circuit breaker: after several failures in a row, calls fail at once instead of waiting."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final

from kernel.errors import Unavailable

log = logging.getLogger("board.breaker")

FAILURES: Final = 5
"""How many calls must fail in a row to open the circuit."""

OPEN_SECONDS: Final = 0.5
"""For how long an open circuit refuses every call. After that, one call at a time tries again."""


class State(Enum):
    """`CLOSED` lets every call through, `OPEN` none, `HALF_OPEN` one, which decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Breaker:
    """The circuit to one other service.

    A call fails if it raises `Unavailable`; every other outcome is an answer, and closes the
    circuit. A cancelled call says nothing. Failures are counted, not timed: a slow answer is an
    answer, and the caller's own timeout says when one is too slow.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`name` is that of the called service. `clock` returns seconds and is monotonic."""
        self.name = name
        self._clock = clock
        self.refused = 0
        """How many calls were refused."""
        self._failures = 0
        self._opened: float | None = None
        self._trying = False

    @property
    def state(self) -> State:
        """The current state."""
        if self._opened is None:
            return State.CLOSED
        waited = self._clock() - self._opened >= OPEN_SECONDS
        return State.HALF_OPEN if waited or self._trying else State.OPEN

    @property
    def refuses(self) -> bool:
        """Whether a call would be refused now."""
        state = self.state
        return state is State.OPEN or (state is State.HALF_OPEN and self._trying)

    @contextmanager
    def call(self, *, counts: bool = True) -> Iterator[None]:
        """One call, in the block. With `counts` false, its failure says nothing. Raises
        `Unavailable` if the circuit refuses it."""
        if self.refuses:
            self.refused += 1
            raise Unavailable(f"The {self.name} service has not been answering.", retry_after=1)
        tries = self._trying = self.state is State.HALF_OPEN
        try:
            yield
        except Unavailable:
            if counts:
                self._failed(tries)
            raise
        except Exception:
            self._answered()
            raise
        else:
            self._answered()
        finally:
            if tries:
                self._trying = False

    def _answered(self) -> None:
        self._failures = 0
        if self._opened is not None:
            log.info("the %s service answers again", self.name)
            self._opened = None

    def _failed(self, tried: bool) -> None:
        self._failures += 1
        if self._opened is None and self._failures >= FAILURES:
            log.warning("the %s service failed %d times in a row", self.name, self._failures)
            self._opened = self._clock()
        elif tried:
            self._opened = self._clock()
