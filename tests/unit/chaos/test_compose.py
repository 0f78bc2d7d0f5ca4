"""A board in containers: how each fault is made, and which faults it can have."""

import asyncio
import re
import threading
from collections.abc import Sequence

import pytest

from chaos.board import POSTGRESQL, PROCESSES
from chaos.compose import PROJECT, ComposeBoard, is_possible
from chaos.faults import Fault, everything
from containers.engine import CommandResult
from strangle.errors import CannotPlayError
from tests.repository import ROOT
from topology.contexts import CONTEXT_NAMES

POSSIBLE = [fault for fault in everything() if is_possible(fault)]


class FakeDocker:
    """An engine that runs the whole project, and records what it does to containers."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.failing = ""

    def __call__(self, arguments: Sequence[str]) -> CommandResult:
        if arguments[0] == "ps":
            names = ("postgres", *PROCESSES)
            return CommandResult(0, "".join(f"id-of-{name} {name}\n" for name in names), "")
        self.did.append(" ".join(arguments).replace("id-of-", ""))
        if arguments[0] == self.failing:
            return CommandResult(1, "", "No such container")
        return CommandResult(0, "", "")


async def struck(fault: Fault) -> list[str]:
    """What a fault does to the containers, and then what mends it."""
    docker = FakeDocker()
    board = ComposeBoard(docker, 8080)
    await board.up()
    docker.did.clear()
    await fault.strike(board)
    if fault.mend is not None:
        await fault.mend(board)
    return docker.did


def named(name: str) -> Fault:
    """The fault with that name."""
    [found] = [fault for fault in POSSIBLE if fault.name == name]
    return found


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        ("kill -9 of posts", ["kill posts", "start posts"]),
        ("kill -9 of PostgreSQL", ["kill postgres", "start postgres"]),
        ("SIGTERM of users, streams open", ["stop --time 30 users", "start users"]),
        ("PostgreSQL restarted", ["restart --time 30 postgres"]),
        ("PostgreSQL paused", ["pause postgres", "unpause postgres"]),
    ],
)
async def test_container_that_a_fault_ends_runs_again(name: str, commands: list[str]) -> None:
    assert await struck(named(name)) == commands


async def test_two_containers_end_before_either_starts() -> None:
    [both] = [fault for fault in POSSIBLE if fault.broken == {"posts", POSTGRESQL}]
    kill, start = await struck(both)
    assert {*kill.split()} == {"kill", "posts", "postgres"}
    assert {*start.split()} == {"start", "posts", "postgres"}


@pytest.mark.parametrize("name", ["PostgreSQL's disk full", "PostgreSQL out of connections"])
async def test_statement_that_breaks_every_database_is_undone(name: str) -> None:
    commands = await struck(named(name))
    assert all(" exec -T postgres psql " in command for command in commands)
    for context in CONTEXT_NAMES:
        assert len([command for command in commands if context in command]) >= 2


def test_containers_have_every_fault_of_a_part_and_none_of_calls_and_clocks() -> None:
    for part in (*PROCESSES, POSTGRESQL):
        assert any(fault.broken == {part} and "kill" in fault.name for fault in POSSIBLE)
    left_out = [fault for fault in everything() if not is_possible(fault)]
    assert {bool(fault.proxy or fault.clocks or fault.copies > 1) for fault in left_out} == {True}


def test_page_of_figures_has_the_number_of_faults_in_containers() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    [said] = re.findall(r"the (\d+) faults that containers can have", page)
    assert int(said) == len(POSSIBLE)


async def test_command_that_fails_ends_the_run_with_its_reason() -> None:
    docker = FakeDocker()
    board = ComposeBoard(docker, 8080)
    await board.up()
    docker.failing = "kill"
    with pytest.raises(CannotPlayError, match="docker kill id-of-web: No such container"):
        await board.kill(["web"])


async def test_command_ends_before_an_interrupted_run_cleans_up() -> None:
    began, may_end = threading.Event(), threading.Event()
    ended: list[Sequence[str]] = []

    def docker(arguments: Sequence[str]) -> CommandResult:
        began.set()
        may_end.wait(timeout=30)
        ended.append(arguments)
        return CommandResult(0, "", "")

    starting = asyncio.create_task(ComposeBoard(docker, 8080).up())
    await asyncio.to_thread(began.wait, 30)
    starting.cancel()
    await asyncio.sleep(0)
    assert not starting.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert len(ended) == 1


async def test_project_is_empty_when_it_starts() -> None:
    docker = FakeDocker()
    await ComposeBoard(docker, 8080).up()
    down, up = docker.did
    assert f"--project-name {PROJECT}" in down
    assert "down --volumes" in down
    assert "up --build --detach --wait" in up
