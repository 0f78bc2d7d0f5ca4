"""The table of docs/security.md names what exists."""

import re

from tests.repository import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| V\d", line)
]


def test_every_row_says_whether_it_is_covered_and_by_what() -> None:
    assert len(ROWS) > 60
    for row in ROWS:
        assert len(row) == 5, row
        item, requirement, covered, what, shown = row
        assert re.fullmatch(r"V\d+\.\d+\.\d+((, | to )V\d+\.\d+\.\d+)*", item), item
        assert covered in {"yes", "partly", "no"}, item
        assert requirement, item
        assert what, item
        assert re.fullmatch(r"`[^`]+`(, `[^`]+`)*", shown), item


def test_everything_that_shows_a_row_exists() -> None:
    for item, *_, shown in ROWS:
        for path in re.findall(r"`([^`]+)`", shown):
            assert (ROOT / path).is_file(), f"{item}: {path}"


def test_no_item_is_in_two_rows() -> None:
    items = [item for row in ROWS for item in re.findall(r"V\d+\.\d+\.\d+", row[0])]
    assert len(items) == len(set(items))


def test_every_chapter_of_the_standard_is_on_the_page() -> None:
    chapters = {int(number) for number in re.findall(r"\bV(\d+)\b", PAGE)}
    assert chapters == set(range(1, 18))
