"""How texts are split into words, and the form in which words are compared."""

import asyncio
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.search.folding import Kind, fold, kind
from kernel.search.words import LONGEST_WORD, cut, encode, words_of


def words(text: str) -> list[str]:
    """The words of a text."""
    return [word.text for word in cut(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" — … 👍 ", []),
        ("Bread-and_butter", ["bread", "and", "butter"]),
        ("Ann’s client/server", ["ann", "s", "client", "server"]),
        ("node.js 3.11.7", ["node", "js", "3", "11", "7"]),
        ("Crème brûlée, Łódź, Straße", ["creme", "brulee", "lodz", "strasse"]),
        ("e\u0301clair", ["eclair"]),
        ("bread\u00adwater bread\u200bwater", ["breadwater", "bread", "water"]),
        ("½ x² ﬁne ｆｕｌｌ １２", ["1", "2", "x2", "fine", "full", "12"]),
        ("1\ufe0f\u20e3", ["1"]),
        ("パン", ["パン"]),
        ("ﾊﾟﾝ屋", ["パン", "ン屋"]),
        ("株 A株式会社", ["株", "a", "株式", "式会", "会社"]),
        ("한국어 ไทย", ["한국", "국어", "ไท", "ทย"]),
        ("हिन्दी", ["हिन्दी"]),
        ("كِتَاب", ["كتاب"]),
        ("İstanbul ΟΔΟΣ οδός", ["istanbul", "οδοσ", "οδοσ"]),
        ("٣", ["3"]),
        ("\u0301", []),
        ("x" * 200, ["x" * LONGEST_WORD]),
    ],
)  # fmt: skip
def test_text_is_split_by_unicode_rules(text: str, found: list[str]) -> None:
    assert words(text) == found


UNASSIGNED = ("Cn", "Co", "Cs")
"""Categories of characters that mean nothing: four fifths of all, of which a sample is enough."""


def test_every_character_outside_words_ends_a_word() -> None:
    separators = [
        character
        for code in range(sys.maxunicode + 1)
        if (unicodedata.category(character := chr(code)) not in UNASSIGNED or code % 97 == 0)
        and kind(character) is Kind.SEPARATOR
    ]
    found = words("bread".join(["", *separators, ""]))
    assert found == ["bread"] * (len(separators) + 1)


def test_no_punctuation_symbol_or_space_is_part_of_words() -> None:
    parts = [
        f"U+{code:04X}"
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code))[0] in "PSZ" and kind(chr(code)) is not Kind.SEPARATOR
    ]
    assert parts == []


@given(st.text())
def test_word_knows_its_place_in_the_text(text: str) -> None:
    for word in cut(text):
        assert 0 <= word.start < word.end <= len(text)
        assert word.text in fold(text[word.start : word.end][: 4 * LONGEST_WORD])


@given(st.text())
def test_splitting_a_word_again_returns_the_same_word(text: str) -> None:
    for word in cut(text):
        again = words(word.text)
        assert encode(again) == encode([word.text]), (word, again)


@given(st.lists(st.text(min_size=1)))
def test_encoded_words_are_letters_and_digits_of_ascii(texts: list[str]) -> None:
    found = [word for text in texts for word in words(text)]
    encoded = encode(found).split()
    assert len(encoded) == len(found)
    assert all(word.isascii() and word.isalnum() for word in encoded)


@pytest.mark.parametrize(
    ("word", "encoded"),
    [("bread", "bread"), ("3", "3"), ("x2", "x2"), ("1e5x", "q1e5x"), ("パン", "q12497q12531"),
     ("паnь2", "q1087q1072nq1100q50")],
)  # fmt: skip
def test_encoded_words_are_one_token_for_postgresql(word: str, encoded: str) -> None:
    assert encode([word]) == encoded


async def test_long_text_is_cut_without_blocking_the_event_loop() -> None:
    text = "".join(chr(0x4E00 + index % 20_000) for index in range(32_000))
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(take_turns())
    words = await words_of(text)
    counting.cancel()
    assert words == [word.text for word in cut(text)]
    assert turns > 10


@given(st.text(st.characters(min_codepoint=0x3041, max_codepoint=0xD7A3)))
def test_word_is_folded_by_the_same_rules_whatever_it_begins_with(word: str) -> None:
    assert fold(f"a {word}") == f"a {fold(word)}"


def test_folding_does_not_change_kana_han_and_hangul() -> None:
    blocks = (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3)
    for first, last in blocks:
        text = "".join(map(chr, range(first, last + 1)))
        assert fold(text) == text
        assert fold(f"A{text}") == f"a{text}"
