"""Every command of the lesson does what its page says."""

import ast
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from laptop.ports import free
from tests.lesson.pages import PORTS, Command, Step, pages, steps
from tests.lesson.terminal import terminals
from tests.repository import ROOT

pytestmark = pytest.mark.timeout(420)

REHEARSAL = ROOT / "tests" / "rehearsal" / "test_the_way_there_and_back.py"


def those(*hows: str) -> list[list[Step]]:
    """The steps of each page that are run in one of these ways. Ctrl-C belongs to `background`."""

    def is_one(step: Step) -> bool:
        return (step.how if isinstance(step, Command) else "background") in hows

    return [[step for step in steps(page) if is_one(step)] for page in pages()]


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """An empty folder that the user of PostgreSQL can enter."""
    with tempfile.TemporaryDirectory(prefix="board-lesson-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder / "data"


def free_ports() -> dict[str, str]:
    """A free port for each port of the pages."""
    return dict(zip(PORTS, map(str, free(len(PORTS))), strict=True))


def test_commands_on_a_laptop_do_what_the_pages_say(data_folder: Path) -> None:
    """From the first part to the last, as one person would."""
    ports = free_ports()
    # Another board may run on this machine.
    environment = {"PORT": ports["8080"], "DATA_DIR": str(data_folder), "ON": "laptop"}
    with terminals(ports, environment) as person:
        for page in those("", "fails", "background", "meanwhile"):
            for step in page:
                person.play(step)
            person.end_meanwhile()


def test_commands_with_containers_do_what_the_pages_say() -> None:
    ports = free_ports()
    environment = {"COMPOSE_PROJECT_NAME": "board-lesson"}
    with terminals(ports, environment) as person:
        try:
            for page in those("docker"):
                for step in page:
                    person.play(step)
        finally:
            subprocess.run(
                ["docker", "compose", "--profile", "*", "down", "--volumes"],
                cwd=ROOT, check=False, capture_output=True,
                env={**os.environ, **environment},
            )  # fmt: skip


Rehearsed = tuple[str, frozenset[str]]
"""The target of a `make` command, and its settings as `NAME=value`."""


def rehearsed() -> set[Rehearsed]:
    """The `make` commands that the rehearsal runs on an emulated AWS."""
    found = set()
    for node in ast.walk(ast.parse(REHEARSAL.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        targets = [
            argument.value
            for argument in node.args
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        settings = frozenset(
            f"{setting.arg}={setting.value.value}"
            for setting in node.keywords
            if setting.arg and isinstance(setting.value, ast.Constant)
            if isinstance(setting.value.value, str)
        )
        found |= {(target, settings) for target in targets[:1]}
    return found


def test_commands_on_aws_are_those_of_the_rehearsal() -> None:
    """With at least the same settings: the rehearsal also names versions, for example."""
    known = rehearsed()
    compared = 0
    for page in those("aws"):
        for step in page:
            if isinstance(step, Command):
                for line in step.text.splitlines():
                    word, target, *settings = line.partition("#")[0].split()
                    assert word == "make", step
                    chosen = {one for one in settings if not one.startswith("CONFIRM=")}
                    assert any(target == name and chosen <= more for name, more in known), (
                        f"{step}: {line}"
                    )
                    compared += 1
    assert compared > 5


def test_what_is_not_run_says_why() -> None:
    for page in those("not-run"):
        for step in page:
            if isinstance(step, Command):
                print(f"not run: {step}: {step.reason}")  # noqa: T201 - so that a reader knows
                assert len(step.reason) > 10
