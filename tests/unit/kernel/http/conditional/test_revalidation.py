"""Which `If-None-Match` fields name a tag."""

import pytest

from kernel.http.conditional.revalidation import entity_tag, matches

TAG = entity_tag(b"a representation")


def test_a_tag_is_strong_and_depends_on_the_bytes_alone() -> None:
    assert entity_tag(b"a representation") == TAG
    assert entity_tag(b"a representation ") != TAG
    assert TAG[0] == TAG[-1] == '"'


@pytest.mark.parametrize(
    "field", [TAG, f"W/{TAG}", f'"x", {TAG}', f'{TAG},"x"', f' "x" ,  W/{TAG} ', "*", " * "]
)
def test_a_field_that_names_the_tag_matches(field: str) -> None:
    assert matches(field, TAG)


@pytest.mark.parametrize(
    "field",
    ['"x"', TAG.strip('"'), f"w/{TAG}", f"W/W/{TAG}", f"{TAG[:-2]}*", '"*"', "", ",", "x, *"],
)
def test_a_field_that_names_another_does_not(field: str) -> None:
    assert not matches(field, TAG)
