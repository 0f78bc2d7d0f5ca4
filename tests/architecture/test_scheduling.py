"""Tests that share a board run in the same process, so that each is started once."""

import re
from pathlib import Path

import pytest

from tests.repository import ROOT
from tests.scheduling import WAITING, group, turn

USES_THE_SERVICES = [
    file
    for file in sorted((ROOT / "tests" / "acceptance").glob("test_*.py"))
    if re.search(r"\bservices_run: ", file.read_text(encoding="utf-8"))
]


def test_waiting_tests_exist_and_run_before_the_others() -> None:
    for name in WAITING:
        if name.startswith("tests/"):
            assert (ROOT / name).is_file(), name
            assert turn(f"{name}::test_any") < turn("tests/unit/topology/test_order.py::test_any")


def test_some_tests_use_the_services_as_processes() -> None:
    assert USES_THE_SERVICES


@pytest.mark.parametrize("file", USES_THE_SERVICES, ids=lambda file: file.name)
def test_services_are_started_once_for_all_tests(file: Path) -> None:
    of_every_test = group("tests/acceptance/test_logs_of_a_run.py::test_any[services_run]")
    assert group(f"{file.relative_to(ROOT)}::test_any") == of_every_test
