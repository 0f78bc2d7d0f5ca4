"""Where a hyphen means something to a search."""

import pytest

from kernel.data.search import readable


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("bread -water", "bread -water"),
        ('bread -"warm water"', 'bread -"warm water"'),
        ("well-known", "well known"),
        ("- bread", "  bread"),
        ("--bread", " " * 2 + "bread"),
        ("bread-", "bread "),
        ("-" * 5, " " * 5),
        ("-é", "-é"),
    ],
)
def test_a_hyphen_excludes_before_a_word_and_else_separates(words: str, read: str) -> None:
    assert readable(words) == read
