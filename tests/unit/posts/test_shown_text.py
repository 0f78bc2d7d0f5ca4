"""The text of a post as readers see it."""

import pytest

from services.posts.markup.renderer import Renderer
from services.posts.search.shown_text import positions_in, shown_text
from services.posts.search.snippet import MOST_MARKS, SHOWN_OF, snippet

RENDERER = Renderer("https://board.example")


def found(text: str, *positions: int) -> str:
    """The snippet of a post with these words found in its Markdown."""
    shown = shown_text(RENDERER.to_html(text))
    return snippet(shown, positions_in(shown, text, positions))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bold** and *it*alic, `code`, ~~struck~~", "bold and italic, code, struck"),
        ("# A heading\n\nA paragraph\nin lines", "A heading A paragraph in lines"),
        ("[words](https://b.example/c 'd') and <https://e.example>", "words and https://e.example"),
        ("![a cat > a dog](https://b.example/c.png)", "a cat > a dog"),
        ("- [ ] one\n- [x] two", "one two"),
        ("a[^1]\n\n[^1]: note", "a[1] note"),
        ("| a | b |\n|---|---|\n| c | d |", "a b c d"),
        ("1 < 2 & <b>no tag</b> &copy;", "1 < 2 & <b>no tag</b> ©"),
    ],
)
def test_shown_text_has_no_markup(text: str, shown: str) -> None:
    assert " ".join(shown_text(RENDERER.to_html(text)).split()) == shown


def test_end_of_long_html_is_no_part_of_a_tag() -> None:
    html = "<p>" + '<a href="https://b.example/?c=d">e</a> <img alt="f > g" src="h">' * 1_000
    for start in range(60):
        shown = shown_text("x" * start + html)
        assert not {"<", "=", '"'} & set(shown)


def test_found_words_are_marked_where_they_are_shown() -> None:
    assert found("**Warm** [water](https://warm.example) is _warm_", 1, 4, 7) == (
        "<mark>Warm</mark> water is <mark>warm</mark>"
    )


def test_word_of_an_address_is_not_shown() -> None:
    assert found("[a link](https://bread.example) here", 4) == "a link here"


def test_only_the_found_occurrence_is_marked() -> None:
    assert found("*hot* water, hot air", 3) == "hot water, <mark>hot</mark> air"


def test_shown_text_is_bounded() -> None:
    assert len(shown_text("<p>" + "a " * 100_000)) <= 8 * SHOWN_OF


def test_as_many_words_as_a_snippet_has_are_placed() -> None:
    text = "**bread** " + "bread " * 100
    shown = shown_text(RENDERER.to_html(text))
    placed = positions_in(shown, text, range(1, 102))
    assert placed == list(range(1, MOST_MARKS + 1))
