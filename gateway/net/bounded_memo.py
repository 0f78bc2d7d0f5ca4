"""Remembers results of a function that is often called with the same arguments."""

from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key", bound=bytes | str)
Value = TypeVar("Value")


class BoundedMemo(dict[Key, Value]):
    """Maps arguments of ``compute`` to its results; ``[]`` calls it for a missing one.

    It stores at most ``most`` results, and none for an argument longer than ``longest``, so clients
    cannot fill the memory with different arguments. A full memo is emptied, and frequent arguments
    are soon stored again. Unlike ``functools.lru_cache`` it bounds the size of a key, and a hit is
    a lookup in a dict.
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
