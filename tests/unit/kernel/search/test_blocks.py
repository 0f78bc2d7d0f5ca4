"""Ranges of ids as blocks of the index."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.search.blocks import BLOCK, cover

SIZES = (2**10, 2**14, 2**18, 2**22)
MOST = 150  # 15 small ones of each level on both sides, and the largest in between


@given(st.integers(0, 10**5), st.integers(0, 2**16))
def test_blocks_cover_exactly_the_range(first: int, number: int) -> None:
    low, high = first * BLOCK, (first + number) * BLOCK
    at = low
    for block in cover(low, high):
        size = SIZES[block % 4]
        assert block // 4 * size == at
        at += size
    assert at == high


def test_a_large_range_has_few_blocks() -> None:
    assert len(cover(BLOCK, 2**26 - BLOCK)) < MOST
