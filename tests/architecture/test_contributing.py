"""The lists of files in CONTRIBUTING.md are those that the code has."""

import re
from pathlib import Path

import pytest

from tests.repository import ROOT, files, text
from topology.contexts import BY_NAME, CALLED, CONTEXT_NAMES

PAGE = "CONTRIBUTING.md"
NO_PART_OF_A_CONTEXT = {
    PAGE: "the lists themselves",
    "docs/performance.md": "what was measured; `make bench ARGS=--document` writes it",
    "docs/reliability.md": "what was measured with the contexts that there were",
    "deploy/checks/smoke.py": "registers, starts a thread and posts, whatever else there is",
}
"""Files that name every context, and why a new context needs no change in them."""

FEWER_THAN = 20


def section(heading: str) -> str:
    """The text of a recipe."""
    found = re.search(
        rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)",
        (ROOT / PAGE).read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert found, heading
    return found[1]


def listed(heading: str) -> list[str]:
    """The files in the first column of a recipe's tables."""
    return re.findall(r"^\| `([^`]+)` \|", section(heading), re.MULTILINE)


def mentioning(pattern: str) -> set[str]:
    """The files outside tests/, the lists of dependencies and CONTRIBUTING.md that mention it."""
    return {
        str(path)
        for path in files()
        if path.parts[0] not in {"tests", "requirements"}
        and str(path) not in {PAGE, "pyproject.toml"}
        and re.search(pattern, text(path))
    }


def naming_every_context() -> set[str]:
    """The files outside services/ and tests/ that name every context."""
    return {
        str(path)
        for path in files()
        if path.parts[0] not in {"services", "tests"}
        and all(_names(path, context) for context in CONTEXT_NAMES)
    }


def _names(path: Path, context: str) -> bool:
    # The words users, threads and posts are everywhere in the page; in quotes, they name contexts.
    pattern = rf'["-]{context}"' if path.suffix == ".js" else rf"(?i)(?<![a-z]){context}(?![a-z])"
    return re.search(pattern, text(path)) is not None


def calling_every_called_context() -> set[str]:
    """The Python files outside services/ and tests/ with the internal paths of all contexts that
    others call."""
    return {
        str(path)
        for path in files()
        if path.suffix == ".py"
        and path.parts[0] not in {"services", "tests"}
        and all(BY_NAME[name].internal_prefix in text(path) for name in CALLED)
    }


def test_add_a_context_lists_every_file_outside_its_folder() -> None:
    outside = [path for path in listed("Add a context") if not path.startswith("services/")]
    computed = naming_every_context() - NO_PART_OF_A_CONTEXT.keys()
    assert sorted(outside) == sorted(computed | calling_every_called_context())


def test_a_context_touches_fewer_than_20_files_outside_its_folder() -> None:
    outside = [path for path in listed("Add a context") if not path.startswith("services/")]
    assert len(outside) < FEWER_THAN


def test_every_exempted_file_names_every_context() -> None:
    assert NO_PART_OF_A_CONTEXT.keys() <= naming_every_context()


def test_add_a_context_lists_the_files_that_every_context_has() -> None:
    inside = {path for path in listed("Add a context") if path.startswith("services/NAME/")}
    common = set.intersection(
        *({path.name for path in (ROOT / "services" / name).glob("*.py")} for name in CONTEXT_NAMES)
    )
    assert inside == {f"services/NAME/{name}" for name in common}
    for name in CONTEXT_NAMES:
        assert list((ROOT / "services" / name / "migrations").glob("0001_*.py"))


def test_add_a_field_lists_the_files_that_mention_an_existing_one() -> None:
    wanted = mentioning(r"reply_to|replyTo|reply-to")
    assert sorted(listed("Add a field to posts")) == sorted(wanted)


def test_add_a_condition_lists_the_files_that_know_an_existing_one() -> None:
    # A function's event has a field with a similar name.
    wanted = mentioning(r"query-string|QueryString(?!Parameters)")
    assert sorted(listed("Add a rule condition to the gateway")) == sorted(wanted)


def test_add_a_resource_lists_the_files_that_know_an_existing_one() -> None:
    wanted = mentioning("(?i)hosted.?zone|route53")
    assert sorted(listed("Add an AWS resource")) == sorted(wanted)


@pytest.mark.parametrize(
    "path",
    sorted(
        {
            path
            for path in re.findall(r"`([\w./-]+/[\w./-]*)`", (ROOT / PAGE).read_text())
            if "NAME" not in path and not path.startswith(("/", "./"))
        }
    ),
)
def test_every_path_in_contributing_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_link_in_contributing_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", (ROOT / PAGE).read_text()):
        assert Path(ROOT, target).exists(), target
