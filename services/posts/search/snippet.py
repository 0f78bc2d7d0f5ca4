"""Cuts snippets of posts around the words that a search has found."""

import html
from collections.abc import Sequence
from itertools import islice

from kernel.search.words import Word, cut

SHOWN_OF = 5_000
"""The first characters of a text, from which snippets are taken. Later words are not marked."""

_BEFORE, _WORDS, _FRAGMENTS = 6, 20, 2

MOST_MARKS = _WORDS * _FRAGMENTS
"""The most words of a snippet."""

_LONGEST = 300
_TO_SPACES = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ")


def snippet(text: str, positions: Sequence[int]) -> str:
    """Pieces of the text as HTML. Words with these numbers, which start at 1, are in `<mark>`."""
    last = _starts([number - 1 for number in positions])[-1] + _WORDS
    words = list(islice(cut(text[:SHOWN_OF]), last + 1))
    wanted = [number - 1 for number in positions if number <= len(words)]
    pieces = [_piece(text, words, wanted, start) for start in _starts(wanted)]
    return " … ".join(pieces)


def _starts(wanted: Sequence[int]) -> list[int]:
    """The first words of the pieces: a little before a match, and not in another piece."""
    starts: list[int] = []
    for number in wanted:
        if not starts or number >= starts[-1] + _WORDS:
            starts.append(max(number - _BEFORE, starts[-1] + _WORDS if starts else 0))
    return starts[:_FRAGMENTS] or [0]


def _piece(text: str, words: Sequence[Word], wanted: Sequence[int], first: int) -> str:
    last = min(first + _WORDS, len(words)) - 1
    start = 0 if first == 0 else words[first].start
    end = SHOWN_OF if last == len(words) - 1 else words[last + 1].start
    marks = [words[number] for number in wanted if first <= number <= last]
    if marks and marks[0].end - start > _LONGEST:
        start = marks[0].start  # the words before it are long
    end = min(end, start + _LONGEST, len(text))
    parts, at = [], start
    for mark in marks:
        if mark.end <= at or mark.start >= end:
            continue  # already included, as the first character of a pair, or not shown
        begin = max(mark.start, at)
        marked_to = min(mark.end, end)
        parts += [_escaped(text[at:begin]), f"<mark>{_escaped(text[begin:marked_to])}</mark>"]
        at = marked_to
    parts.append(_escaped(text[at:end]))
    return "".join(parts).replace("</mark><mark>", "").strip()


def _escaped(text: str) -> str:
    return html.escape(text.translate(_TO_SPACES), quote=False)
