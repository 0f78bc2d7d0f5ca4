"""What a search shows of a post."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.search.words import cut
from services.posts.search.snippet import MOST_MARKS, SHOWN_OF, snippet

MARKS = ("<mark>", "</mark>")
LONGEST = 1000


def plain(shown: str) -> str:
    """The text of a snippet."""
    for mark in MARKS:
        shown = shown.replace(mark, "")
    return html.unescape(shown)


def test_words_are_marked_as_they_were_written() -> None:
    text = "The “Crème” (brûlée!)\nof <b>Ann’s</b>"
    assert snippet(text, [2, 3, 6]) == (
        "The “<mark>Crème</mark>” (<mark>brûlée</mark>!) of &lt;b&gt;<mark>Ann</mark>’s&lt;/b&gt;"
    )


def test_overlapping_pairs_of_characters_are_one_mark() -> None:
    assert snippet("全粒粉パン屋", [3, 4]) == "全粒<mark>粉パン</mark>屋"


def test_snippet_without_matches_is_the_beginning() -> None:
    text = "word " * 100
    assert snippet(text, []) == ("word " * 20).strip()


def test_snippet_has_two_pieces_for_distant_words() -> None:
    text = " ".join(f"w{number}" for number in range(1, 101))
    shown = snippet(text, [30, 80, 95])
    assert shown.startswith("w24 ")
    assert " … w74 w75" in shown
    assert "<mark>w30</mark>" in shown
    assert "<mark>w80</mark>" in shown
    assert "w95" not in shown


@given(st.sets(st.integers(1, 120)))
def test_snippet_needs_only_the_first_matches(matches: set[int]) -> None:
    text = " ".join(f"w{number}" for number in range(1, 101))
    positions = sorted(matches)
    assert snippet(text, positions) == snippet(text, positions[:MOST_MARKS])


def test_word_beyond_the_snippet_is_not_marked() -> None:
    text = "a " * SHOWN_OF + "bread"
    assert "<mark>" not in snippet(text, [SHOWN_OF + 1])


@pytest.mark.parametrize("text", ["x" * 32_000 + " bread", "bread " + "x" * 32_000, "é" * 32_000])
def test_snippet_with_long_words_is_bounded(text: str) -> None:
    assert len(snippet(text, [1, 2])) < LONGEST


@given(st.text(st.sampled_from("ab é<&>\"'\n\x02パン.👍")), st.data())
def test_snippet_is_a_part_of_the_text_with_marks_only(text: str, data: st.DataObject) -> None:
    number = len(list(cut(text)))
    wanted = data.draw(st.lists(st.integers(1, max(number, 1)), unique=True).map(sorted))
    shown = snippet(text, wanted)
    assert shown.count("<mark>") == shown.count("</mark>")
    one_line = text.replace("\n", " ").replace("\x02", " ")
    for piece in plain(shown).split(" … "):
        assert piece in one_line
    assert "<" not in shown.replace("<mark>", "").replace("</mark>", "")
