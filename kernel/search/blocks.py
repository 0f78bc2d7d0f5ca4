"""Blocks of ids, by which a GIN index can be asked for a part of a table.

Each row is in a block of 1,024 ids, and in larger ones of 16 times as many each. The index has them
beside the row's words, and GIN intersects both without reading the rest of a word's list.
"""

from collections.abc import Sequence

BLOCK = 1024
"""The smallest number of ids that can be asked for."""

_SHIFTS = (10, 14, 18, 22)
_LEVELS = len(_SHIFTS)

EXPRESSION = "(ARRAY[{}])".format(
    ", ".join(f"(id >> {shift}) * {_LEVELS} + {level}" for level, shift in enumerate(_SHIFTS))
)
"""The blocks of a row, as an expression over its id; a block's number has its level in it."""


def cover(low: int, high: int) -> Sequence[int]:
    """The blocks that have all ids from `low` to below `high`, both multiples of `BLOCK`, and no
    others; as few as there can be."""
    blocks = []
    while low < high:
        level = _LEVELS - 1
        while low % (1 << _SHIFTS[level]) or low + (1 << _SHIFTS[level]) > high:
            level -= 1
        blocks.append((low >> _SHIFTS[level]) * _LEVELS + level)
        low += 1 << _SHIFTS[level]
    return blocks
