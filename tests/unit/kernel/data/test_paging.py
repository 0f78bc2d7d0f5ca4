"""Only cursors that the API has issued are accepted."""

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kernel.data.database import LARGEST_ID
from kernel.data.paging import LARGEST_PAGE, Cursor, json_weight, most_json_weight, page
from kernel.errors import MalformedRequest

KEYS = st.lists(st.integers(-LARGEST_ID, LARGEST_ID), min_size=1, max_size=4).map(tuple)


def forged(value: object) -> str:
    """A forged cursor in the current format."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(kind=st.text(max_size=30), keys=KEYS)
def test_cursor_survives_url_encoding(kind: str, keys: tuple[int, ...]) -> None:
    text = Cursor(kind, keys).encode()
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert Cursor.decode(text, kind, len(keys)) == Cursor(kind, keys)


@given(text=st.text(max_size=60))
def test_any_other_text_is_a_malformed_request(text: str) -> None:
    with pytest.raises(MalformedRequest):
        Cursor.decode(text, "posts", 1)


@pytest.mark.parametrize(
    "value",
    [
        ["threads", 1],
        ["posts"],
        ["posts", 1, 2],
        ["posts", "1"],
        ["posts", 1.0],
        ["posts", True],
        ["posts", None],
        ["posts", [1]],
        ["posts", LARGEST_ID + 1],
        ["posts", -LARGEST_ID - 1],
        {"posts": 1},
        "posts",
        7,
        None,
        [],
    ],
)
def test_a_forged_cursor_is_a_malformed_request(value: object) -> None:
    with pytest.raises(MalformedRequest):
        Cursor.decode(forged(value), "posts", 1)


def test_a_page_has_a_cursor_only_while_there_is_more() -> None:
    whole = page([1, 2], 2, "numbers", lambda number: (number,))
    assert (list(whole.items), whole.next_cursor) == ([1, 2], None)
    part = page([1, 2, 3], 2, "numbers", lambda number: (number,))
    assert list(part.items) == [1, 2]
    assert Cursor.decode(part.next_cursor or "", "numbers", 1).keys == (2,)


def test_an_empty_list_is_one_page() -> None:
    nothing: list[int] = []
    assert page(nothing, 20, "numbers", lambda number: (number,)).next_cursor is None


@given(text=st.text(max_size=200))
@example(text="\x1f" * 50)
@example(text="😀" * 50)
def test_no_text_has_more_bytes_than_its_bound(text: str) -> None:
    assert json_weight(text) <= most_json_weight(text)


@pytest.mark.parametrize("character", ["a", "\x1f", "😀"])
@pytest.mark.parametrize("share", [20, 6, 3, 1])
def test_page_that_is_weighed_only_if_it_may_be_too_large_is_the_same(
    character: str, share: int
) -> None:
    texts = [character * (LARGEST_PAGE // 5 // share)] * 6
    weighed = page(texts, 5, "texts", lambda _: (1,), json_weight)
    assert page(texts, 5, "texts", lambda _: (1,), json_weight, most_json_weight) == weighed
