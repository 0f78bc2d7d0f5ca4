"""Which characters a reader can see."""

import unicodedata

_NOT_VISIBLE = frozenset("CZ")
_MARKS = frozenset({"Mn", "Me"})
_BLANK = "\u2800"  # BRAILLE PATTERN BLANK is a symbol without a dot

# The property Default_Ignorable_Code_Point (Unicode 17, DerivedCoreProperties.txt), which the
# standard library does not have: software that does not know such a character shows nothing.
_IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip


def is_visible(text: str) -> bool:
    """Whether a character of the text is visible. Spaces, control and format characters, marks and
    default-ignorable characters are not."""
    return any(_is_visible(character) for character in text)


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    if category[0] in _NOT_VISIBLE or category in _MARKS or character == _BLANK:
        return False
    return not is_ignorable(character)


def is_ignorable(character: str) -> bool:
    """Whether the character has the property Default_Ignorable_Code_Point."""
    code = ord(character)
    return any(first <= code <= last for first, last in _IGNORABLE)
