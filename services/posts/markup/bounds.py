"""Bounds on what a text is expanded to.

Markdown multiplies: thousands of references can use one definition, a short row of a wide table is
filled up with cells, and some texts make the parser create far more tokens than it keeps. All of
this is counted, so that every machine accepts or refuses the same texts."""

from collections.abc import Mapping
from typing import Any

_HTML_PER_CHARACTER = 8
_HTML_ALLOWANCE = 64 * 1024
_TOKENS_PER_CHARACTER = 3
_TOKEN_ALLOWANCE = 2_000
_LEAST_EXPANSION = 100_000


class Unrenderable(Exception):
    """The text cannot become a post. The message is a sentence for its author."""


def largest_html(size: int) -> int:
    """The largest HTML for a text of this size, both in characters or both in bytes of UTF-8."""
    return _HTML_PER_CHARACTER * size + _HTML_ALLOWANCE


def check_html(text: str, html: str) -> None:
    """Raises `Unrenderable` if the HTML is too large for its text."""
    if len(html) > largest_html(len(text)) or (
        len(html.encode()) > largest_html(len(text.encode()))
    ):
        raise Unrenderable(_TOO_LARGE)


class SizeEstimate:
    """The estimated size of the HTML, before any of it is generated."""

    def __init__(self, text: str) -> None:
        self._left = largest_html(len(text))

    def add(self, characters: int) -> None:
        """Add to the size. Raises `Unrenderable` if it is too large."""
        self._left -= characters
        if self._left < 0:
            raise Unrenderable(_TOO_LARGE)


class TokenBudget:
    """The number of tokens that a document may have."""

    def __init__(self, characters: int) -> None:
        self._left = _TOKENS_PER_CHARACTER * characters + _TOKEN_ALLOWANCE

    def spend(self) -> None:
        """Count one token. Raises `Unrenderable` if there are too many."""
        self._left -= 1
        if self._left < 0:
            raise Unrenderable(
                "This text has too many elements for its length. "
                "Fill the rows of its tables, or make the tables narrower."
            )


class References(dict[str, Mapping[str, Any]]):
    """The definitions of a document's links by label, as markdown-it stores them.

    The total size of references is bounded as in cmark (`blocks.c`, `max_ref_size`): by the size of
    the text, or 100,000 if that is more. After that, labels are not found, and references stay
    text. Only lookups while `counting` count, because the parser looks most labels up several
    times."""

    counting = False

    def __init__(self, characters: int) -> None:
        super().__init__()
        self._left = max(characters, _LEAST_EXPANSION)

    def get(self, label: str, default: Any = None) -> Any:
        """The definition, or the default if there is none or the bound is reached."""
        found = super().get(label)
        if found is None:
            return default
        size = len(found["href"]) + len(found["title"])
        if size > self._left:
            return default
        if self.counting:
            self._left -= size
        return found


_TOO_LARGE = (
    "This text becomes too much HTML for its length: "
    "it repeats long links, or has more links, pictures or empty cells than text."
)
