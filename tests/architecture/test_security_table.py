"""The table of docs/security.md names what exists."""

import ast
import re
from pathlib import Path

from tests.repository import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
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
        for name in re.findall(r"`([^`]+)`", shown):
            if name.startswith("make "):
                target = name.removeprefix("make ")
                assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), f"{item}: {name}"
            else:
                assert (ROOT / name).is_file(), f"{item}: {name}"


def test_every_covered_row_names_a_test_or_a_command() -> None:
    for item, _, covered, _, shown in ROWS:
        names = re.findall(r"`([^`]+)`", shown)
        checked = [name for name in names if name.startswith(("make ", "tests/"))]
        assert checked or covered == "no", item


def test_every_test_file_of_the_table_is_collected() -> None:
    for item, *_, shown in ROWS:
        for path in re.findall(r"`(tests/[^`]+)`", shown):
            tests, skipped = _tests_of(ROOT / path)
            assert tests, f"{item}: {path} has no test"
            assert not skipped, f"{item}: {path} skips all of its tests"


def _tests_of(path: Path) -> tuple[list[str], bool]:
    """The names of the tests that pytest collects from a file, and whether it skips all."""
    assert path.name.startswith("test_"), f"{path} is not collected"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
    ]
    functions = [*tree.body, *(node for one in classes for node in one.body)]
    tests = [
        node.name
        for node in functions
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]
    marks = [
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    ]
    return tests, any("skip" in mark for mark in marks)


def test_no_item_is_in_two_rows() -> None:
    items = [item for row in ROWS for item in re.findall(r"V\d+\.\d+\.\d+", row[0])]
    assert len(items) == len(set(items))


def test_every_chapter_of_the_standard_is_on_the_page() -> None:
    chapters = {int(number) for number in re.findall(r"\bV(\d+)\b", PAGE)}
    assert chapters == set(range(1, 18))
