"""docs/gateway-reference.md names a test for each fact: it exists, and each fact has one."""

import re
from pathlib import Path

import pytest

from gateway.template.resources.conditions import CONDITION_FIELDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "gateway-reference.md").read_text()
TESTS = {
    name
    for file in sorted((ROOT / "tests" / "unit" / "gateway").rglob("test_*.py"))
    for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
}
NAMED = sorted(set(re.findall(r"`(test_\w+)`", PAGE)))
TABLE = PAGE.partition("| fact | here | shown by |\n|---|---|---|\n")[2].partition("\n\n")[0]
ROWS = [[cell.strip() for cell in row.strip("|").split("|")] for row in TABLE.splitlines()]


@pytest.mark.parametrize("name", NAMED)
def test_every_test_named_in_the_reference_exists(name: str) -> None:
    assert name in TESTS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_every_fact_of_the_reference_is_shown_by_a_test(row: list[str]) -> None:
    _, here, shown_by = row
    assert here in ("yes", "refused") or here.startswith("no")
    assert bool(re.search(r"`test_\w+`", shown_by)) is not here.startswith("no")


@pytest.mark.parametrize("field", sorted(CONDITION_FIELDS))
def test_every_condition_field_is_a_fact_that_a_test_shows(field: str) -> None:
    [(_, here, shown_by)] = [row for row in ROWS if row[0].startswith(f"`{field}`:")]
    assert here == "yes"
    assert re.search(r"`test_\w+`", shown_by)
