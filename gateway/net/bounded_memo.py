"""What has been found out about bytes that come again."""

from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


class BoundedMemo(dict[bytes, Found]):
    """What ``find_out`` says, by what it was asked about; ``[]`` asks it what is not there.

    At most ``most`` answers are kept, and none for more than ``longest`` bytes, so that nobody who
    makes up ever new ones fills the memory. When it is full it begins anew: whoever comes again
    is soon back.
    """

    __slots__ = ("_find_out", "_longest", "_most")

    def __init__(self, find_out: Callable[[bytes], Found], *, most: int, longest: int) -> None:
        super().__init__()
        self._find_out = find_out
        self._most = most
        self._longest = longest

    def __missing__(self, key: bytes) -> Found:
        found = self._find_out(key)
        if len(key) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[key] = found
        return found
