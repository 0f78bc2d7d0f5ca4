"""What stands for a user beside their name: a circle with initials."""

import unicodedata
from typing import Final

_JOINER: Final = "\u200d"


def initials(name: str) -> str:
    """The initials of the first and the last word, or of the only one, as `initials` in
    static/users.js."""
    words = name.split()
    if not words:
        return ""
    last = first_character(words[-1]) if len(words) > 1 else ""
    return (first_character(words[0]) + last).upper()


def first_character(word: str) -> str:
    """The first character as readers see it: an emoji may have several code points."""
    end = 1
    while end < len(word) and (
        _extends(word[end])
        or word[end - 1] == _JOINER
        or (end == 1 and _is_regional(word[0]) and _is_regional(word[1]))
    ):
        end += 1
    return word[:end]


def _extends(character: str) -> bool:
    return (
        character == _JOINER
        or unicodedata.category(character) in {"Mn", "Me", "Mc"}
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
    )


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
