"""How much a text may become.

Markdown multiplies: one definition serves thousands of references, a short row of a wide table is
filled up with cells, and some texts make the parser try far more than it keeps. All of that is
counted, so that the same text is accepted or refused on every machine.
"""

from collections.abc import Mapping
from typing import Any

_HTML_PER_CHARACTER = 8
_HTML_ALLOWANCE = 64 * 1024
_TOKENS_PER_CHARACTER = 3
_TOKEN_ALLOWANCE = 2_000
_LEAST_EXPANSION = 100_000


class Unrenderable(Exception):
    """This text does not become a post. The message is a sentence for its author."""


def largest_html(size: int) -> int:
    """The size of the HTML that a text of this size may become: characters for characters, or bytes
    for bytes, both in UTF-8."""
    return _HTML_PER_CHARACTER * size + _HTML_ALLOWANCE


def check_html(text: str, html: str) -> None:
    """Raises `Unrenderable` if the HTML is too large for its text."""
    if len(html) > largest_html(len(text)) or (
        len(html.encode()) > largest_html(len(text.encode()))
    ):
        raise Unrenderable(_TOO_LARGE)


class SizeEstimate:
    """The size of the HTML while it is being counted together, before any of it is made."""

    def __init__(self, text: str) -> None:
        self._left = largest_html(len(text))

    def add(self, characters: int) -> None:
        """Raises `Unrenderable` if that is too much."""
        self._left -= characters
        if self._left < 0:
            raise Unrenderable(_TOO_LARGE)


class TokenBudget:
    """The elements and pieces of text that a document may consist of."""

    def __init__(self, characters: int) -> None:
        self._left = _TOKENS_PER_CHARACTER * characters + _TOKEN_ALLOWANCE

    def spend(self) -> None:
        """Count one more. Raises `Unrenderable` if that is one too many."""
        self._left -= 1
        if self._left < 0:
            raise Unrenderable(
                "This text has too many elements for its length. "
                "Fill the rows of its tables, or make the tables narrower."
            )


class References(dict[str, Mapping[str, Any]]):
    """The definitions of a document's links by label, as markdown-it keeps them.

    What references to them add to the text is bounded as cmark bounds it (`blocks.c`,
    `max_ref_size`): by the size of the text, or 100,000 where that is more. From then on a label is
    not found, and its reference stays text. Only lookups while `counting` add to the sum, since the
    parser looks most labels up several times.
    """

    counting = False

    def __init__(self, characters: int) -> None:
        super().__init__()
        self._left = max(characters, _LEAST_EXPANSION)

    def get(self, label: str, default: Any = None) -> Any:
        """The definition, unless there is none or the bound has been reached."""
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
