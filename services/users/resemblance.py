"""Whether two names look alike."""

import unicodedata

from confusable_homoglyphs.confusables import confusables_data

from kernel.characters import is_ignorable

# Characters that look alike in most typefaces: Unicode's confusables (UTS 39) of ASCII characters,
# after conversion to lower case.
_ASCII = str.maketrans("01i|", "olll")
_PAIRS = (("rn", "m"), ("vv", "w"))


def resembles(name: str, other: str) -> bool:
    """Whether readers may mistake one name for the other. Ignores case, accents, spaces,
    punctuation and invisible characters; letters of other scripts count as the Latin ones that they
    look like."""
    skeleton = _skeleton(name)
    return skeleton != "" and skeleton == _skeleton(other)


def _skeleton(name: str) -> str:
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", name).casefold())
    letters = "".join(
        _latin(character)
        for character in folded.translate(_ASCII)
        if unicodedata.category(character)[0] in "LN" and not is_ignorable(character)
    ).translate(_ASCII)
    for pair, letter in _PAIRS:
        letters = letters.replace(pair, letter)
    return letters


def _latin(character: str) -> str:
    if character.isascii():
        return character
    likenesses: list[str] = [entry["c"] for entry in confusables_data.get(character, ())]
    return next(
        (each.casefold() for each in likenesses if each.isascii() and each.isalnum()), character
    )
