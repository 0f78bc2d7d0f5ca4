"""Results of a function that is called with the same arguments again and again."""

from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key", bound=bytes | str)
Value = TypeVar("Value")


class BoundedMemo(dict[Key, Value]):
    """What ``compute`` returns, by its argument; ``[]`` calls it for what is not there.

    At most ``most`` results are stored, and none for an argument longer than ``longest``, so that
    no client can fill the memory with ever new ones. A full memo is emptied: what is used often is
    soon back. Unlike ``functools.lru_cache`` it bounds the size of a key, and a hit is a look-up
    in a dict.
    """

    __slots__ = ("_compute", "_longest", "_most")

    def __init__(self, compute: Callable[[Key], Value], *, most: int, longest: int) -> None:
        super().__init__()
        self._compute = compute
        self._most = most
        self._longest = longest

    def __missing__(self, key: Key) -> Value:
        value = self._compute(key)
        if len(key) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[key] = value
        return value
