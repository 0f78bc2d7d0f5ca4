"""What a context's answers depend on, and what its database says has changed."""

import logging
import re
from collections.abc import Callable
from typing import Final, Protocol

log = logging.getLogger("board.cache")

CHANGES: Final = "changes"
"""NOTIFY channel; the payload is the tags of what the transaction changed, with spaces between, or
`*` for anything. Triggers send it: no statement can forget to."""

_TAG: Final = re.compile(r"([a-z]+)(/[0-9]+)?", re.ASCII)

OnChange = Callable[[frozenset[str] | None], None]
"""Is called with the tags that have changed, each with the context's name before it; None is all
of them."""


class Feed(Protocol):
    """Whether changes arrive; `kernel.data.notifications.NotificationListener`."""

    @property
    def current(self) -> bool: ...


class Changes:
    """The changes of one context, as its caches need to hear of them.

    `kinds` are the first words of the tags that the context's answers depend on. A payload with any
    other is from a version of the board that divides what there is in another way, so all may have
    changed; likewise one that cannot be read.
    """

    def __init__(self, context: str, kinds: frozenset[str]) -> None:
        self.context = context
        self._kinds = kinds
        self._subscribers: list[OnChange] = []
        self._feed: Feed | None = None

    def follow(self, feed: Feed) -> None:
        """Take `feed` as the source that calls `notify`."""
        self._feed = feed

    @property
    def current(self) -> bool:
        """Whether what was committed a while ago has been heard of; False without a feed."""
        return self._feed is not None and self._feed.current

    def subscribe(self, on_change: OnChange) -> None:
        """Call `on_change` at each change from now on."""
        self._subscribers.append(on_change)

    def notify(self, payload: str) -> None:
        """Hand on the payload of a notification; an empty one means that some were lost."""
        tags = self._read(payload)
        for on_change in self._subscribers:
            on_change(tags)

    def tag(self, name: str) -> str:
        """The tag with the context's name before it. Raises `ValueError` for a kind that is not the
        context's: its changes would not be heard of."""
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
