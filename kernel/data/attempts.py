"""Which users tried the same in this process a short while ago."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

MOST: Final = 10_000
"""How many users are remembered. Beyond that, those who waited longest are forgotten."""


class Attempts:
    """The last attempt of each of at most `most` users.

    Whether a user may do something is in the database, and asking costs a statement. The statement
    that does it asks as well, so asking before only saves the work between. For a user who is not
    known here, that work is done at most once in vain.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._last: OrderedDict[int, datetime] = OrderedDict()

    def repeated(self, user: int, now: datetime, window: timedelta) -> bool:
        """Note an attempt, and say whether the last one is less than a window away: before or,
        if the clock has been set back, after it."""
        last = self._last.pop(user, None)
        self._last[user] = now
        if len(self._last) > self._most:
            self._last.popitem(last=False)
        return last is not None and abs(now - last) < window
