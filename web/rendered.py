"""Documents, and which of them are remembered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cachetools import LRUCache

from kernel.errors import Failure, Unavailable

HTML: Final = "text/html; charset=utf-8"
XML: Final = "application/xml; charset=utf-8"
ATOM: Final = "application/atom+xml; charset=utf-8"

MEMORY: Final = 16 * 1024 * 1024
"""About how many bytes of documents are remembered between services."""

Tags = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Document:
    """A page. `status` is 503 if what it is about could not be read. `tags` name the data that it
    shows, by context; None if something is missing or was searched for: it must not be stored."""

    body: bytes
    status: int = 200
    tags: Tags | None = None
    failure: Failure | None = None
    media_type: str = HTML
    encoded: dict[str, bytes] = field(default_factory=dict)


class Rendered:
    """Makes documents from what was read.

    Between services, a document is rendered again only if what one of them shows has changed:
    readers return the same object as long as it has not. In the monolith, responses are `stored`.
    """

    def __init__(self, *, stored: bool, memory: int = MEMORY) -> None:
        self._stored = stored
        self._known: LRUCache[tuple[object, ...], tuple[tuple[object, ...], Document]] = LRUCache(
            memory, lambda kept: 2 * len(kept[1].body) + 2000
        )

    def document(
        self,
        key: tuple[object, ...],
        inputs: tuple[object, ...],
        whole: bool,
        tags: Tags,
        render: Callable[[], bytes],
        media_type: str = HTML,
    ) -> Document:
        """What `render` makes of `inputs`: what was read, None for a context that is down. `key`
        tells documents apart. Unless it is `whole`, what it is about is missing."""
        if not whole:
            failure = Unavailable("A part of the board is down.")
            return Document(render(), failure.status, failure=failure, media_type=media_type)
        if any(each is None for each in inputs):
            return Document(render(), media_type=media_type)
        if self._stored:
            return Document(render(), tags=tags, media_type=media_type)
        kept = self._known.get(key)
        if kept is not None and all(
            known is now for known, now in zip(kept[0], inputs, strict=True)
        ):
            return kept[1]
        document = Document(render(), tags=tags, media_type=media_type)
        self._known.pop(key, None)
        if self._known.getsizeof((inputs, document)) <= self._known.maxsize:
            self._known[key] = inputs, document
        return document
