"""`make start`, `shift` and `stop` on a board in Compose, while requests arrive."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.docker.load import load
from tests.docker.project import ROOT, Project, project
from topology.deployments import MONOLITH, SERVICES

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("images")]


@pytest.fixture
def board() -> Iterator[Project]:
    """The monolith in Compose."""
    with project("board-tests-shift", MONOLITH) as found:
        found.up()
        yield found


def rollout(board: Project, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rollout", command],
        cwd=ROOT,
        env={
            **board.environment,
            "COMPOSE_PROJECT_NAME": board.name,
            "ON": "compose",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def carried_out(board: Project, command: str, **variables: str) -> str:
    done = rollout(board, command, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_board_grows_from_a_monolith_into_services_without_a_failed_request(
    board: Project,
) -> None:
    refused = rollout(board, "shift", CONTEXT="web", SHARE="10")
    assert "web does not run" in refused.stderr
    async with load(board.url, readers=1, writers=1) as counted:
        for service in SERVICES:
            await asyncio.to_thread(carried_out, board, "start", CONTEXT=service)
        for service in SERVICES:
            await asyncio.to_thread(carried_out, board, "shift", CONTEXT=service, SHARE="37")
            await asyncio.to_thread(carried_out, board, "shift", CONTEXT=service, SHARE="100")
        await asyncio.to_thread(carried_out, board, "stop", CONTEXT=MONOLITH)
    assert not counted.failures
    shares = carried_out(board, "shares")
    assert "the monolith is not running" in shares
    assert board.get("/").headers["X-Served-By"].startswith("web/")
    assert board.get("/shares.json").json() == dict.fromkeys(SERVICES, 100)
