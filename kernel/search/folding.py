"""Classifies characters of words, and folds words for comparison."""

import re
import unicodedata
from enum import Enum
from functools import lru_cache

from kernel.characters import is_ignorable


class Kind(Enum):
    """The role of a character in words."""

    LETTER = "letter or digit"
    UNSPACED = "letter of a script that is written without spaces"
    ATTACHED = "mark or invisible character inside a word"
    SEPARATOR = "anything else"


_ZERO_WIDTH_SPACE = "\u200b"  # invisible, but a place where a line may break

_HALF_WIDTH_SOUND_MARKS = "\uff9e\uff9f"

# Thai, Lao, Myanmar, Khmer, Han, Kana, Bopomofo, Hangul and their extensions (Unicode 17,
# Blocks.txt). Korean has spaces, and glues particles to its words.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x2E80, 0x2FDF),
    (0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x318F), (0x31A0, 0x31BF), (0x31F0, 0x31FF),
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),
    (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0xFF66, 0xFFDC), (0x1AFF0, 0x1B16F), (0x20000, 0x3FFFF),
)  # fmt: skip

# Marks that people leave out when they search: accents, and the vowel points of Hebrew and Arabic.
# Not those that make a different letter, as in Kana and the scripts of India.
_ACCENTS = (
    (0x0300, 0x036F), (0x0483, 0x0487), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F),
    (0x0670, 0x0670), (0x06D6, 0x06ED), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)  # fmt: skip

# Common replacements for letters that Unicode does not decompose; and the Arabic tatweel, which
# only makes a word longer.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i",
     "ħ": "h", "ŧ": "t", "\u0640": None}
)  # fmt: skip


# Most Kana, Han and Hangul, which folding does not change. Texts of them have many different pairs.
_FOLDED = re.compile("[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]+")


@lru_cache(maxsize=4096)
def kind(character: str) -> Kind:
    """The character's role in words."""
    if character == _ZERO_WIDTH_SPACE:
        return Kind.SEPARATOR
    if (
        unicodedata.category(character)[0] == "M"
        or is_ignorable(character)
        or character in _HALF_WIDTH_SOUND_MARKS
    ):
        return Kind.ATTACHED
    if not character.isalnum():
        return Kind.SEPARATOR
    return Kind.UNSPACED if _in(character, _UNSPACED) else Kind.LETTER


def fold(word: str) -> str:
    """The word without case, accents, compatibility forms and invisible characters. May have
    several words, separated by spaces: `½` is `1 2`."""
    return word if _FOLDED.fullmatch(word) else _fold(word)


@lru_cache(maxsize=4096)
def _fold(word: str) -> str:
    # Twice, because casefolding can produce characters that decompose, and vice versa.
    decomposed = unicodedata.normalize(
        "NFKD", unicodedata.normalize("NFKD", word).casefold()
    ).casefold()
    kept = "".join(
        character
        for character in decomposed
        if not is_ignorable(character) and not _in(character, _ACCENTS)
    )
    return "".join(map(_part, unicodedata.normalize("NFC", kept.translate(_PLAIN))))


def _part(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return " " if kind(character) is Kind.SEPARATOR else character


def _in(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    code = ord(character)
    return any(first <= code <= last for first, last in ranges)
