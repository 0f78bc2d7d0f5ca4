"""Cuts text into words, and writes them so that PostgreSQL cuts them in the same places.

PostgreSQL's parser classifies characters by the database's ctype: with ctype `C` every character
beyond ASCII is a letter, and `“bread”` one word; with others it depends on the version of the C
library. It also looks for URLs, paths, tags and numbers, for seconds in some texts. So it gets
letters and digits of ASCII and spaces between words, which it reads alike everywhere.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from kernel.search.folding import Kind, fold, kind

LONGEST_WORD = 64
"""Characters of a word that are compared. Longer words are cut off, in texts and in searches."""

_CUT_AT_ONCE = 1_000
"""Characters of a text that are cut in the event loop: some 10 ms at most."""

_FOLDED = 4 * LONGEST_WORD  # of a word: room for what folding leaves out

_CANDIDATE = re.compile(r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")


class Word(NamedTuple):
    """A word of a text, folded, and where the text has it. The words of a script without spaces are
    its pairs of characters, which overlap."""

    text: str
    start: int
    end: int


async def words_of(text: str) -> list[str]:
    """The folded words of a text, in order. A long text is cut in a thread, so that the event loop
    goes on: 32,000 characters of Chinese take a third of a second of CPU."""
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
    """`units` are the characters of a word, each with what is attached to it, if the script is
    one without spaces; any other word is one unit."""
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
    """Folded words as PostgreSQL's parser reads them, one token each: words of ASCII as they are,
    others with a number for each character, which no dictionary of English changes."""
    return " ".join(word if word.isascii() and word[0] > "9" else _encode(word) for word in words)


@lru_cache(maxsize=4096)
def _encode(word: str) -> str:
    if word.isascii():
        # `1e5x` would be two tokens, a number and a word.
        return word if word.isdigit() else f"q{word}"
    return "".join(
        character if "a" <= character <= "z" else f"q{ord(character)}" for character in word
    )
