"""Splits text into words, and encodes them so that PostgreSQL splits them in the same places.

PostgreSQL's parser classifies characters by the database's ctype: with ctype `C` every character
beyond ASCII is a letter, and `“bread”` one word; with others it depends on the version of the C
library. It also searches for URLs, paths, tags and numbers, which takes seconds for some texts. So
it gets only ASCII letters and digits, and spaces between words, which it reads the same everywhere.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from kernel.search.folding import Kind, fold, kind

LONGEST_WORD = 64
"""The most characters of a word that are compared. Longer words are truncated, in texts and in
searches."""

_CUT_AT_ONCE = 1_000
"""The most characters of a text that are split in the event loop: about 10 ms."""

_FOLDED = 4 * LONGEST_WORD  # of a word: folding may remove characters

_CANDIDATE = re.compile(r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")


class Word(NamedTuple):
    """A folded word, and its place in the text. In scripts without spaces, words are overlapping
    pairs of characters."""

    text: str
    start: int
    end: int


async def words_of(text: str) -> list[str]:
    """The folded words of a text, in order. A long text is split in a thread, so as not to block
    the event loop: 32,000 characters of Chinese take a third of a second of CPU time."""
    if len(text) <= _CUT_AT_ONCE:
        return [word.text for word in cut(text)]
    return await asyncio.to_thread(lambda: [word.text for word in cut(text)])


def cut(text: str) -> Iterator[Word]:
    """The words of a text, in order."""
    for candidate in _CANDIDATE.finditer(text):
        found = candidate[0]
        if found.isascii():
            yield Word(found.lower()[:LONGEST_WORD], candidate.start(), candidate.end())
        else:
            yield from _cut_beyond_ascii(found, candidate.start())


def _cut_beyond_ascii(found: str, offset: int) -> Iterator[Word]:
    """In a script without spaces, `units` are the characters of a word with their marks; any
    other word is one unit."""
    units: list[tuple[int, int]] = []
    current = Kind.SEPARATOR
    for index, character in enumerate(found):
        what = kind(character)
        if what is Kind.ATTACHED:
            if units:
                units[-1] = (units[-1][0], index + 1)
            continue
        if what is not current:
            yield from _words_of(found, units, offset)
            units = []
            current = what
        if what is Kind.LETTER and units:
            units[-1] = (units[-1][0], index + 1)
        elif what is not Kind.SEPARATOR:
            units.append((index, index + 1))
    yield from _words_of(found, units, offset)


def _words_of(found: str, units: list[tuple[int, int]], offset: int) -> Iterator[Word]:
    pairs = pairwise(units) if len(units) > 1 else ((u, u) for u in units)
    for (start, _), (_, end) in pairs:
        folded = fold(found[start : min(end, start + _FOLDED)])
        for part in folded.split() if " " in folded else (folded,) if folded else ():
            yield Word(part[:LONGEST_WORD], offset + start, offset + end)


def encode(words: Iterable[str]) -> str:
    """Folded words as one token each for PostgreSQL's parser: ASCII words unchanged, others with a
    number for each character, which the English dictionary does not change."""
    return " ".join(word if word.isascii() and word[0] > "9" else _encode(word) for word in words)


@lru_cache(maxsize=4096)
def _encode(word: str) -> str:
    if word.isascii():
        # `1e5x` would be two tokens, a number and a word.
        return word if word.isdigit() else f"q{word}"
    return "".join(
        character if "a" <= character <= "z" else f"q{ord(character)}" for character in word
    )
