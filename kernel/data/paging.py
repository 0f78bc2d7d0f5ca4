"""Keyset paging: a page of rows, and the cursor from which the next one goes on."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Generic, TypeVar

from kernel.data.database import LARGEST_ID
from kernel.errors import MalformedRequest

Item = TypeVar("Item")

LARGEST_PAGE = 1024 * 1024
"""Bytes of the items on a page of a list."""

_LONGEST_CURSOR = 1_000


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of a list, in order. `next_cursor` is None at its end."""

    items: Sequence[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one kind of list: just behind the item that has these sort keys, all whole
    numbers. The kind is in the cursor, so that one list refuses another's."""

    kind: str
    keys: tuple[int, ...]

    def encode(self) -> str:
        """As it travels in a URL. Opaque to clients: its form may change at any time."""
        text = json.dumps([self.kind, *self.keys], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, kind: str, length: int) -> "Cursor":
        """The cursor of this kind with so many keys. Raises `MalformedRequest` for any other."""
        if len(text) > _LONGEST_CURSOR:
            raise MalformedRequest("The cursor in ?after= cannot be read.")
        try:
            padded = text + "=" * (-len(text) % 4)
            found, *keys = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError, TypeError, RecursionError) as error:
            raise MalformedRequest("The cursor in ?after= cannot be read.") from error
        right = found == kind and len(keys) == length
        if not right or not all(type(key) is int and abs(key) <= LARGEST_ID for key in keys):
            raise MalformedRequest("The cursor in ?after= belongs to another list.")
        return cls(kind, tuple(keys))


def json_weight(text: str) -> int:
    """How many bytes a text has as JSON: quotation marks, backslashes and control characters are
    escaped."""
    return len(encode_basestring(text).encode())


def page(
    rows: Sequence[Item],
    limit: int,
    kind: str,
    keys: Callable[[Item], tuple[int, ...]],
    weigh: Callable[[Item], int] | None = None,
) -> Page[Item]:
    """The page of `limit + 1` fetched rows, or of fewer that exceed `LARGEST_PAGE`. A row that is
    not on it means that there is a next page. With `weigh`, which says how many bytes an item has
    as JSON, the page ends before `LARGEST_PAGE` is exceeded; its first item is always on it."""
    items = rows[:limit]
    if weigh is not None:
        total = 0
        for place, item in enumerate(items):
            total += weigh(item)
            if total > LARGEST_PAGE and place > 0:
                items = items[:place]
                break
    more = len(rows) > len(items)
    return Page(items, Cursor(kind, keys(items[-1])).encode() if more else None)
