"""The tests detect every mutation in this folder: `make prove ARGS="tests/mutations -k accounts"`.

`make test` only checks that each mutation still fits its file. `make prove` applies each to a copy
of the repository, and runs the tests that it names."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import repository
from tests.effort import Effort
from tests.mutations.mutation import Mutation, mutations

pytestmark = [pytest.mark.prove, pytest.mark.timeout(900)]

MUTATIONS = mutations()
_PASSED, _FAILED = 0, 1  # exit statuses of pytest; 2 and above say nothing about the board
_NODE = repository.ROOT / ".venv" / "lint-javascript" / "bin" / "node"
_IS_JAVASCRIPT = ".test.js"
_LONGEST = 300  # seconds; a mutation may also make a test wait forever, which fails it


class ScratchCopy:
    """A copy of the repository, in which mutations are tried one at a time.

    The tests of the page's modules need the Node of `make check-javascript`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._passed: set[tuple[str, ...]] = set()
        for file in repository.files():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository.ROOT / file, root / file)
        (root / ".venv").symlink_to(repository.ROOT / ".venv")

    def check_unchanged(self, tests: tuple[str, ...]) -> None:
        """Raises `AssertionError` unless these tests pass without a mutation."""
        if tests not in self._passed:
            status, output = self._run(tests)
            assert status == _PASSED, f"fails without a mutation:\n{output}"
            self._passed.add(tests)

    def try_mutation(self, mutation: Mutation) -> tuple[int, str]:
        """The exit status of the tests under the mutation, and what they printed."""
        with mutation.applied(self._root):
            return self._run(mutation.tests)

    def _run(self, tests: tuple[str, ...]) -> tuple[int, str]:
        javascript = [test for test in tests if test.endswith(_IS_JAVASCRIPT)]
        python = [test for test in tests if not test.endswith(_IS_JAVASCRIPT)]
        pytest_command = (sys.executable, "-m", "pytest", "--exitfirst", "--quiet",
                          "-p", "no:cacheprovider")  # fmt: skip
        if javascript:
            options = ("--test", "--test-timeout=20000")  # milliseconds
            status, output = self._command(str(_NODE), *options, *javascript)
            if status != _PASSED or not python:
                return status, output
        return self._command(*pytest_command, *python)

    def _command(self, *command: str) -> tuple[int, str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        process = subprocess.Popen(
            command, cwd=self._root, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return _FAILED, f"{output[-4000:]}\nnot over after {_LONGEST} seconds"
        return process.returncode, output[-4000:]


@pytest.fixture(scope="session")
def scratch() -> Iterator[ScratchCopy]:
    """One copy for all mutations that this process tries."""
    with tempfile.TemporaryDirectory(prefix="board-mutations-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the user that PostgreSQL runs as must get through
        yield ScratchCopy(folder)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_mutation_is_detected(
    mutation: Mutation, effort: Effort, request: pytest.FixtureRequest
) -> None:
    mutation.applied_to(repository.text(Path(mutation.file)))
    for test in mutation.tests:
        assert (repository.ROOT / test.partition("::")[0]).exists(), test
    if not effort.mutate:
        return
    scratch: ScratchCopy = request.getfixturevalue("scratch")
    scratch.check_unchanged(mutation.tests)
    status, output = scratch.try_mutation(mutation)
    expected = _PASSED if mutation.survives else _FAILED
    assert status == expected, f"{mutation.what} Exit status {status}:\n{output}"


def test_each_mutation_has_a_name_of_its_own_and_names_its_tests() -> None:
    names = Counter(str(mutation) for mutation in MUTATIONS)
    assert [name for name, count in names.items() if count > 1] == []
    assert [str(mutation) for mutation in MUTATIONS if not mutation.tests] == []


def test_the_score_counts_every_mutation() -> None:
    page = (repository.ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w ]+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    names = {"chosen_later": "chosen after the tests were written"}
    expected = []
    for area, count in sorted(Counter(mutation.area for mutation in MUTATIONS).items()):
        name = names.get(area, area.replace("_", " "))
        survive = sum(bool(m.survives) for m in MUTATIONS if m.area == area)
        expected.append((name.lower(), str(count), str(count - survive), str(survive)))
    assert [(row[0].lower(), *row[1:]) for row in rows] == expected
