"""Blocks of ids, with which a GIN index can search a part of a table.

Each row belongs to a block of 1,024 ids, and to larger blocks, each of 16 times as many. The index
contains them beside the row's words, and GIN intersects both without reading the rest of a word's
list.
"""

from collections.abc import Sequence

BLOCK = 1024
"""The smallest number of ids that can be searched."""

_SHIFTS = (10, 14, 18, 22)
_LEVELS = len(_SHIFTS)

EXPRESSION = "(ARRAY[{}])".format(
    ", ".join(f"(id >> {shift}) * {_LEVELS} + {level}" for level, shift in enumerate(_SHIFTS))
)
"""The SQL expression of a row's blocks; a block's number includes its level."""


def cover(low: int, high: int) -> Sequence[int]:
    """The fewest blocks that contain exactly the ids from `low` to below `high`, which are both
    multiples of `BLOCK`."""
    blocks = []
    while low < high:
        level = _LEVELS - 1
        while low % (1 << _SHIFTS[level]) or low + (1 << _SHIFTS[level]) > high:
            level -= 1
        blocks.append((low >> _SHIFTS[level]) * _LEVELS + level)
        low += 1 << _SHIFTS[level]
    return blocks
