"""Where the address of a link ends is what the library says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import helpers

from services.posts.markup.links import link_destination


@given(
    st.text(alphabet="ab()\\< >\n\x00\x7f\u00e9", max_size=40), st.integers(0, 5), st.integers(0, 5)
)
def test_destination_is_that_of_the_library(text: str, start: int, cut: int) -> None:
    end = max(len(text) - cut, 0)
    ours, theirs = (
        parse(text, start, end) for parse in (link_destination, helpers.parseLinkDestination)
    )
    assert (ours.ok, ours.pos, ours.str) == (theirs.ok, theirs.pos, theirs.str)


@pytest.mark.parametrize("depth", [0, 1, 31, 32, 33, 40])
@pytest.mark.parametrize("closed", [True, False])
def test_nested_parentheses_are_those_of_the_library(depth: int, closed: bool) -> None:
    text = "a(" * depth + "b" + ")" * depth * closed + " c"
    ours, theirs = (
        parse(text, 0, len(text)) for parse in (link_destination, helpers.parseLinkDestination)
    )
    assert (ours.ok, ours.pos, ours.str) == (theirs.ok, theirs.pos, theirs.str)
