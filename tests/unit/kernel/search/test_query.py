"""What a search field accepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.search.query import parse


def tsquery(text: str) -> str:
    """The query of a text, with a dictionary that has two words for each prefix except `zzz`."""
    query = parse(text)
    expansions = {
        prefix: [] if prefix == "zzz" else [f"{prefix}a", f"{prefix}b"] for prefix in query.prefixes
    }
    return query.tsquery(expansions)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("bread water", "((bread) & (water))"),
        ("bread or salt water", "((bread)) | ((salt) & (water))"),
        ("OR bread or", "((bread))"),
        ("bread -water", "((bread) & !((water)))"),
        ("-water", "(!((water)))"),
        ('"warm water" -"cold water"', "((warm <-> water) & !((cold <-> water)))"),
        ("“warm water” -„cold water“", "((warm <-> water) & !((cold <-> water)))"),
        ('"warm water', "((warm <-> water))"),
        ("well-known node.js", "((well) & (known) & (node) & (js))"),
        ("-node.js", "(!((node <-> js)))"),
        ("- bread --water bread-", "((bread) & (water) & (bread))"),
        ("パン屋", "((q12497q12531 <-> q12531q23627))"),
        ("brea*", "((breaa | breab))"),
        ("-brea*", "(!((breaa | breab)))"),
        ("br* bread:* *", "((br) & (bread))"),
        ("salt zzz*", ""),
        ("salt zzz* or water", "((water))"),
        ("salt -zzz*", "((salt))"),
        ("", ""),
        ('- "" ! or', ""),
    ],
)  # fmt: skip
def test_search_syntax_is_that_of_web_searches(text: str, query: str) -> None:
    assert tsquery(text) == query


@given(st.text(st.sampled_from("ab é\"*-.()|&!<>:\\'パ“ \nor")))
def test_search_text_cannot_inject_tsquery_operators(text: str) -> None:
    query = tsquery(text)
    assert query.isascii()
    assert set(query) <= set("abcdefghijklmnopqrstuvwxyz0123456789()&|!<-> "), query
    assert query.count("(") == query.count(")")
