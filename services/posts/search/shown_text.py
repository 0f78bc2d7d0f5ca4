"""The text of a post as readers see it, and where the words of its Markdown are in it."""

import re
from collections import Counter
from collections.abc import Sequence
from html import unescape
from itertools import islice

from kernel.search.words import cut
from services.posts.search.snippet import MOST_MARKS, SHOWN_OF

_MOST_HTML = 8 * SHOWN_OF
"""The first characters of the HTML that are read."""

# In sanitised HTML, `<` begins a tag, except in the values of attributes, which contain no `"`.
_TAG = re.compile(r'</?([a-z][a-z0-9]*)((?: [a-z-]+="[^"]*")*)>')
_UNFINISHED = re.compile(r'<(?:[^">]|"[^"]*")*(?:"[^"]*)?$')
_ALT = re.compile(r' alt="([^"]*)"')
_INLINE = frozenset({"a", "code", "em", "label", "s", "strong", "sup"})
_BACK = "↩\ufe0e"


def shown_text(html: str) -> str:
    """The text of sanitised HTML, with spaces between blocks, and the descriptions of pictures."""
    begun = html[:_MOST_HTML]
    if len(html) > _MOST_HTML:
        begun = _UNFINISHED.sub("", begun)
    return unescape(_TAG.sub(_instead, begun)).replace(_BACK, "").strip()


def _instead(tag: re.Match[str]) -> str:
    if tag[1] == "img" and (alt := _ALT.search(tag[2])):
        return f" {alt[1]} "
    return "" if tag[1] in _INLINE else " "


def positions_in(shown: str, text: str, positions: Sequence[int]) -> list[int]:
    """Where the words with these numbers in the Markdown `text` are in the shown text; both start
    at 1. The second `bread` of one is the second `bread` of the other. Words that are not shown,
    such as those of addresses, have no place. Only as many as a snippet has are returned."""
    if shown[:SHOWN_OF] == text[:SHOWN_OF]:
        return list(positions)
    wanted = set(positions[:MOST_MARKS])
    occurrences: set[tuple[str, int]] = set()
    seen = Counter[str]()
    words = islice(cut(text[:SHOWN_OF]), max(wanted, default=0))
    for number, word in enumerate(words, 1):
        seen[word.text] += 1
        if number in wanted:
            occurrences.add((word.text, seen[word.text]))
    seen.clear()
    found = []
    for number, word in enumerate(cut(shown[:SHOWN_OF]), 1):
        seen[word.text] += 1
        if (word.text, seen[word.text]) in occurrences:
            found.append(number)
            if len(found) == len(occurrences):
                break
    return found
