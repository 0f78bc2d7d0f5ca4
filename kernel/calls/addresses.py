"""The addresses of one service: of its only process, or of each of its copies."""

from collections.abc import Callable
from typing import Final

AVOIDED_SECONDS: Final = 5.0
"""For how long a copy that failed gets no calls if another one can."""


class Addresses:
    """The URLs of a service's copies, which get calls in turn."""

    def __init__(self, urls: str, clock: Callable[[], float]) -> None:
        """`urls` is one URL, or several with commas between. `clock` returns seconds and is
        monotonic."""
        self._urls = urls.split(",")
        self._clock = clock
        self._failed: dict[str, float] = {}
        self._turn = 0

    def __len__(self) -> int:
        return len(self._urls)

    def choose(self) -> str:
        """The next URL in turn, without those that failed in the last `AVOIDED_SECONDS`. If all
        did, it is the one whose failure is the longest ago."""
        if len(self._urls) == 1:
            return self._urls[0]
        since = self._clock() - AVOIDED_SECONDS
        for _ in self._urls:
            self._turn = (self._turn + 1) % len(self._urls)
            url = self._urls[self._turn]
            if self._failed.get(url, since) <= since:
                return url
        return min(self._urls, key=self._failed.__getitem__)

    def failed(self, url: str) -> None:
        """Record that a call to this URL had no usable answer."""
        self._failed[url] = self._clock()
