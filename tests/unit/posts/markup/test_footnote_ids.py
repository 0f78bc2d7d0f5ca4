"""The ids of footnotes."""

import pytest

from services.posts.markup.footnote_ids import (
    is_note_id,
    is_reference_id,
    note_id,
    of_post,
    reference_id,
)
from services.posts.markup.renderer import Renderer


@pytest.fixture(scope="module")
def html() -> str:
    """A rendered post with two references to one note."""
    return Renderer("https://board.example").to_html("a[^1] [^1]\n\n[^1]: b")


def test_every_id_and_address_of_a_footnote_names_its_post(html: str) -> None:
    named = of_post(html, 17)
    for value in ('id="fn-17-1"', 'id="fnref-17-1"', 'id="fnref-17-1-2"', 'href="#fn-17-1"',
                  'href="#fnref-17-1"', 'href="#fnref-17-1-2"'):  # fmt: skip
        assert value in named
    assert "0000" not in named


def test_html_never_becomes_longer(html: str) -> None:
    assert len(of_post(html, 2**63 - 1)) == len(html)
    assert len(of_post(html, 1)) < len(html)


@pytest.mark.parametrize(
    "text",
    ['" id="fnref-{0}-1"', '`<li id="fn-{0}-1">`', "fn-{0}-1", '[a](/b "\\" id=fn-{0}-1")',
     "[a](/fn-{0}-1)", "![<li id=](https://b.example/fn-{0}-1)"],
)  # fmt: skip
def test_what_looks_like_a_footnote_stays_as_it_was_written(text: str) -> None:
    html = Renderer("https://board.example").to_html(text.format("0" * 19))
    assert of_post(html, 17) == html


def test_ids_of_notes_and_of_references_differ() -> None:
    assert is_note_id(note_id(3))
    assert is_reference_id(reference_id(3, 1))
    assert is_reference_id(reference_id(3, 2))
    assert not is_note_id(reference_id(3, 1))
    assert not is_reference_id(note_id(3))
