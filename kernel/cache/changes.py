"""Tags of the data that responses depend on, and the database's notifications of changes."""

import logging
import re
from collections.abc import Callable, Iterable
from typing import Final, Protocol

log = logging.getLogger("board.cache")

CHANGES: Final = "changes"
"""NOTIFY channel; the payload is the tags of what the transaction changed, separated by spaces, or
`*` for everything. Triggers send it, so no statement can forget it."""

_TAG: Final = re.compile(r"([a-z]+)(/[0-9]+)?", re.ASCII)

OnChange = Callable[[frozenset[str] | None], None]
"""Called with the changed tags, each prefixed by the context's name; None means all of them."""


class Feed(Protocol):
    """Whether changes arrive; implemented by `kernel.data.notifications.NotificationListener`."""

    @property
    def current(self) -> bool: ...


class Changes:
    """Passes the changes of one context on to caches.

    `kinds` are the first words of the tags that the context's responses depend on. A payload with
    another kind comes from a version of the board with other tags, and one that cannot be parsed is
    unknown: in both cases everything may have changed.
    """

    def __init__(self, context: str, kinds: frozenset[str]) -> None:
        self.context = context
        self.contexts = frozenset({context})
        self._kinds = kinds
        self._subscribers: list[OnChange] = []
        self._feed: Feed | None = None

    def follow(self, feed: Feed) -> None:
        """Set the source of changes, which calls `notify`."""
        self._feed = feed

    @property
    def current(self) -> bool:
        """Whether all changes up to about two seconds ago have arrived; False without a feed."""
        return self._feed is not None and self._feed.current

    def subscribe(self, on_change: OnChange) -> None:
        """Call `on_change` for each future change."""
        self._subscribers.append(on_change)

    def notify(self, payload: str) -> None:
        """Process the payload of a notification; an empty one means that some may be lost."""
        tags = self._read(payload)
        for on_change in self._subscribers:
            on_change(tags)

    def tag(self, name: str) -> str:
        """The tag prefixed by the context's name. Raises `ValueError` for a kind that the context
        does not have, because no change would ever invalidate it."""
        found = _TAG.fullmatch(name)
        if found is None or found[1] not in self._kinds:
            raise ValueError(f"{self.context} has no tags like {name}")
        return f"{self.context}/{name}"

    def _read(self, payload: str) -> frozenset[str] | None:
        if payload in {"", "*"}:
            return None
        try:
            return frozenset(self.tag(name) for name in payload.split(" "))
        except ValueError:
            log.info("%s: a change that this version cannot read", self.context)
            return None


class JointChanges:
    """The changes of several contexts, for a response that depends on all of them."""

    __slots__ = ("_all", "contexts")

    def __init__(self, changes: Iterable[Changes]) -> None:
        self._all = tuple(changes)
        self.contexts = frozenset(each.context for each in self._all)

    @property
    def current(self) -> bool:
        """Whether the changes of each context have arrived."""
        return all(each.current for each in self._all)


AnyChanges = Changes | JointChanges
