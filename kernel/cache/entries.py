"""Stored responses, found by key, and dropped by tag.

A tag names data that a response depends on, such as `posts/thread/7`; see `kernel.cache.changes`.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from kernel.cache.changes import AnyChanges
from kernel.cache.encodings import Encoding

Field = tuple[bytes, bytes]
Key = tuple[str, bytes]
"""A path without a trailing slash, and the query as the client sent it."""

_OVERHEAD: Final = 3000
"""The estimated bytes of an entry in addition to its bodies: fields, heads, keys and tags."""

_LARGEST_SHARE: Final = 8
"""An entry that is larger than the capacity divided by this is not stored."""

_PROTECTED_SHARE: Final = 0.8
"""The part of the capacity that proven entries may fill; see `Entries`."""


class Variant:
    """A response in one encoding: the header fields and body of a 200, and the fields of a 304.
    `tag` is its ETag. `wire` has heads by status, as far as they were serialised."""

    __slots__ = ("body", "fields", "fields_of_304", "tag", "wire")

    def __init__(self, tag: bytes, fields: list[Field], body: bytes) -> None:
        self.tag = tag
        self.body = body
        self.fields = fields
        self.fields_of_304 = [
            field for field in fields if field[0] not in {b"content-type", b"content-length"}
        ]
        self.wire: dict[int, tuple[bytes, bytes, bytes, bytes]] = {}


class Entry:
    """A response, in each encoding that was requested so far. It is stale once the data that one of
    `tags` names has changed; `changes` reports the changes in the contexts that the response
    comes from. `route` identifies the operation in metrics."""

    __slots__ = ("changes", "key", "route", "size", "tags", "variants")

    def __init__(
        self, key: Key, route: object, changes: AnyChanges, tags: frozenset[str], plain: Variant
    ) -> None:
        self.key = key
        self.route = route
        self.changes = changes
        self.tags = tags
        self.variants: dict[Encoding, Variant] = {"identity": plain}
        self.size = _OVERHEAD + len(plain.body)


class Entries:
    """As many entries as fit into `capacity` bytes, in a segmented LRU.

    An entry is new until it is requested again; then it is proven. If there is no space, the oldest
    new entry is dropped first, so requests that nobody repeats, however many, never displace proven
    entries. When proven entries fill more than four fifths of the capacity, the least recently used
    one counts as new again.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._new: OrderedDict[Key, Entry] = OrderedDict()
        self._proven: OrderedDict[Key, Entry] = OrderedDict()
        self._proven_size = 0
        self._by_tag: dict[str, set[Key]] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._new) + len(self._proven)

    def __iter__(self) -> Iterator[Entry]:
        yield from self._new.values()
        yield from self._proven.values()

    def get(self, key: Key) -> Entry | None:
        """The entry, which becomes the most recently used one."""
        entry = self._proven.get(key)
        if entry is not None:
            self._proven.move_to_end(key)
            return entry
        entry = self._new.pop(key, None)
        if entry is not None:
            self._proven[key] = entry
            self._proven_size += entry.size
            while self._proven_size > self._capacity * _PROTECTED_SHARE and len(self._proven) > 1:
                _, oldest = self._proven.popitem(last=False)
                self._proven_size -= oldest.size
                self._new[oldest.key] = oldest
        return entry

    def put(self, entry: Entry) -> None:
        """Store the entry instead of one with the same key. If it is larger than an eighth of the
        capacity, only drop the old one."""
        self.drop(entry.key)
        if entry.size > self._capacity // _LARGEST_SHARE:
            return
        self._new[entry.key] = entry
        self.size += entry.size
        for tag in entry.tags:
            self._by_tag.setdefault(tag, set()).add(entry.key)
        self._shrink()

    def add_variant(self, entry: Entry, encoding: Encoding, variant: Variant) -> None:
        """Store the response in another encoding as well, if the entry is still stored."""
        entry.variants[encoding] = variant
        grown = len(variant.body)
        if self._new.get(entry.key) is entry:
            self.size += grown
        elif self._proven.get(entry.key) is entry:
            self.size += grown
            self._proven_size += grown
        entry.size += grown
        self._shrink()

    def drop(self, key: Key) -> None:
        """Drop the entry with this key, if there is one."""
        entry = self._new.pop(key, None)
        if entry is None:
            entry = self._proven.pop(key, None)
            if entry is None:
                return
            self._proven_size -= entry.size
        self.size -= entry.size
        for tag in entry.tags:
            keys = self._by_tag[tag]
            keys.discard(key)
            if not keys:
                del self._by_tag[tag]

    def drop_tagged(self, tags: Iterable[str]) -> int:
        """Drop every entry that depends on one of these tags. Returns how many there were."""
        keys = {key for tag in tags for key in self._by_tag.get(tag, ())}
        for key in keys:
            self.drop(key)
        return len(keys)

    def _shrink(self) -> None:
        while self.size > self._capacity:
            oldest = next(iter(self._new or self._proven))
            self.drop(oldest)
