"""The form of the lesson's pages: why first, minutes, a question with its answer folded away."""

import re
from pathlib import Path

import pytest

from tests.lesson.pages import (
    FOLDER,
    Command,
    PageError,
    Stop,
    begins,
    matches,
    pages,
    steps,
)

MINUTES = re.compile(r"^\*\*Time:\*\* (\d+) minutes$", re.MULTILINE)
ROW = re.compile(r"^\| \[[^\]]+\]\((\d\d[\w-]+\.md)\) \| (\d+) \|", re.MULTILINE)
INDEX = FOLDER / "README.md"
HANDOUT = FOLDER / "handout.md"
LONGEST_HANDOUT = 60
"""Lines: what fits on one printed page."""


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_part_says_why_first_and_ends_with_a_question_whose_answer_is_folded(page: Path) -> None:
    text = page.read_text("utf-8")
    headings = re.findall(r"^##? (.+)$", text, re.MULTILINE)
    assert headings[1] == "Why"
    assert headings[-1] == "Question"
    question = text.partition("\n## Question\n")[2]
    assert question.count("<details>") == question.count("</details>") == 1
    assert "<summary>Answer</summary>" in question
    assert MINUTES.search(text)


def test_minutes_of_the_parts_add_up_to_two_hours_and_are_those_of_the_index() -> None:
    minutes = {}
    for page in pages():
        found = MINUTES.search(page.read_text("utf-8"))
        assert found is not None
        minutes[page.name] = int(found[1])
    rows = ROW.findall(INDEX.read_text("utf-8"))
    listed = {name: int(number) for name, number in rows}
    assert listed == minutes
    assert sum(minutes.values()) == 120


def test_handout_fits_on_a_page_and_has_only_commands_of_the_lesson() -> None:
    text = HANDOUT.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_HANDOUT
    known = {
        re.split("[#|]", line)[0].strip()
        for page in pages()
        for step in steps(page)
        if isinstance(step, Command)
        for line in step.text.splitlines()
    }
    commands = {
        line.partition("#")[0].strip()
        for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    }
    assert commands
    assert commands <= known


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_every_command_that_runs_shows_its_output(page: Path) -> None:
    for step in steps(page):
        if isinstance(step, Command) and step.how not in {"aws", "not-run"}:
            assert step.output is not None, step


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_what_is_started_in_the_background_is_stopped_or_continues_in_the_next_part(
    page: Path,
) -> None:
    running = 0
    for step in steps(page):
        if isinstance(step, Stop):
            running -= 1
        elif step.how == "background":
            running += 1
    assert running <= 1


def page_with(text: str, folder: Path) -> Path:
    page = folder / "00-page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_command_has_its_output_and_the_way_to_run_it(tmp_path: Path) -> None:
    page = page_with(
        "# A\n\n```sh\nmake shares\n```\n\nIt prints:\n\n```text\nposts\n```\n\n"
        "```sh not-run: it costs money\nmake deploy-ecs\n```\n\n<!-- Ctrl-C -->\n",
        tmp_path,
    )
    first, second, third = steps(page)
    assert first == Command("make shares", "", "posts\n", "", "00-page.md", 3)
    assert second == Command("make deploy-ecs", "not-run", None, "it costs money", "00-page.md", 13)
    assert third == Stop()


@pytest.mark.parametrize(
    "text",
    [
        "```text\nposts\n```\n",
        "```sh\nmake shares\n```\n\n```text\na\n```\n\n```text\nb\n```\n",
        "```sh somehow\nmake shares\n```\n",
        "```sh not-run\nmake shares\n```\n",
        "```sh background: why\nmake shares\n```\n",
    ],
)
def test_page_that_breaks_the_rules_is_rejected(text: str, tmp_path: Path) -> None:
    with pytest.raises(PageError):
        steps(page_with(text, tmp_path))


@pytest.mark.parametrize(
    ("wanted", "output", "same"),
    [
        ("posts  10 %\n", "posts  10 %\n", True),
        ("posts  10 %\n", "posts  11 %\n", False),
        ("posts  10 %\n", "posts  10 %\nand more\n", False),
        ("took <ms> ms\n", "took 3.5 ms\n", True),
        ("took <ms> ms\n", "took long ms\n", False),
        ("a\n<lines>\nz\n", "a\nb\nc\nz\n", True),
        ("a\n<lines>\nz\n", "a\nz\n", True),
        ("a\n<lines>\nz\n", "a\nb\n", False),
        ("a.c\n", "abc\n", False),
        ("", "", True),
        ("", "unexpected\n", False),
    ],
)
def test_output_must_be_the_same_but_for_the_fields(wanted: str, output: str, same: bool) -> None:
    assert matches(wanted, output) is same


def test_unknown_field_is_rejected() -> None:
    with pytest.raises(PageError, match="<nothing> is none of"):
        matches("<nothing>\n", "7\n")


def test_output_of_a_command_that_goes_on_must_begin_as_shown() -> None:
    assert begins("a\n<lines>\nup\n", "a\nb\nup\nmore\n")
    assert not begins("a\n<lines>\nup\n", "a\nb\n")
