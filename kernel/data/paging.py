"""Keyset paging: a page of rows, and the cursor of the next page."""

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
    """A part of a list, in order. `next_cursor` is None at the end of the list."""

    items: Sequence[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in one kind of list: after the item with these sort keys, which are integers. The
    cursor contains the kind, so that another kind of list rejects it."""

    kind: str
    keys: tuple[int, ...]

    def encode(self) -> str:
        """The cursor as text for a URL. It is opaque to clients: its format may change."""
        text = json.dumps([self.kind, *self.keys], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, kind: str, length: int) -> "Cursor":
        """Parse a cursor of this kind with `length` keys. Raises `MalformedRequest` for any
        other."""
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
    """The size of a text in JSON, in bytes, with its escapes."""
    return len(encode_basestring(text).encode())


def most_json_weight(text: str) -> int:
    """A number of bytes that `json_weight` does not exceed, without encoding the text: a character
    takes six at most, as a control character's escape."""
    return 6 * len(text) + 2


def page(
    rows: Sequence[Item],
    limit: int,
    kind: str,
    keys: Callable[[Item], tuple[int, ...]],
    weigh: Callable[[Item], int] | None = None,
    most: Callable[[Item], int] | None = None,
) -> Page[Item]:
    """The page from up to `limit + 1` fetched rows. If a row does not fit, there is a next page.
    `weigh` returns an item's size in JSON in bytes; with it, the page ends before it exceeds
    `LARGEST_PAGE`, but always has its first item. `most` returns a number that `weigh` does not
    exceed, much faster; if all items fit by it, none is weighed."""
    items = rows[:limit]
    if weigh is not None and (most is None or sum(map(most, items)) > LARGEST_PAGE):
        total = 0
        for place, item in enumerate(items):
            total += weigh(item)
            if total > LARGEST_PAGE and place > 0:
                items = items[:place]
                break
    more = len(rows) > len(items)
    return Page(items, Cursor(kind, keys(items[-1])).encode() if more else None)


def previous_cursor(before: Sequence[tuple[int, ...]], limit: int, kind: str) -> str | None:
    """The cursor of the page before one: empty if that is the first page, None if there is none.
    `before` are the sort keys of up to `limit + 1` items before the one, the nearest first."""
    if not before:
        return None
    return Cursor(kind, before[limit]).encode() if len(before) > limit else ""
