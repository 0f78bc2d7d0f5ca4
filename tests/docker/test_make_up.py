"""The messages of `make up`, with a real engine."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.docker.project import ROOT, project, write_into_volume

pytestmark = pytest.mark.timeout(600)

NAME = "board-tests-up"


def _make_up(environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "containers.up"],
        cwd=ROOT,
        env={**os.environ, "COMPOSE_PROJECT_NAME": NAME, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def test_stopped_engine_is_rejected() -> None:
    done = _make_up({"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    assert done.returncode == 1
    assert done.stdout.startswith("make up: The Docker engine is not running")


def test_taken_port_is_rejected_with_its_number() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _make_up({"PORT": str(port)})
    assert done.returncode == 1
    assert done.stdout.startswith(f"make up: Port {port} of 127.0.0.1 is taken")


@pytest.mark.parametrize("port", ["none", "70000"])
def test_invalid_port_is_rejected(port: str) -> None:
    done = _make_up({"PORT": port})
    assert done.returncode == 1
    assert done.stdout.startswith("make up: Compose cannot use the settings")
    assert port in done.stdout


def test_unknown_deployment_is_rejected_with_the_valid_names() -> None:
    done = _make_up({"DEPLOYMENT": "serverless"})
    assert done.returncode == 1
    assert "must be one of microservices, monolith and strangler" in done.stdout


@pytest.mark.usefixtures("images")
def test_failed_start_shows_the_reason() -> None:
    with project(NAME, "microservices") as board:
        board.compose("up", "--no-start", "prepare")
        write_into_volume(board, "database", "19/docker/PG_VERSION", "19")
        done = _make_up({"PORT": str(board.port)})
    assert done.returncode == 1
    assert f"The volume {NAME}_database was written by PostgreSQL 19" in done.stdout
    assert "make up: The board did not come up." in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.usefixtures("images")
def test_make_up_starts_the_board_and_switches_its_deployment() -> None:
    with project(NAME, "microservices") as board:
        for deployment, process in (("monolith", "monolith/"), ("microservices", "threads/")):
            done = _make_up({"PORT": str(board.port), "DEPLOYMENT": deployment})
            assert done.returncode == 0, done.stdout
            assert f"The board is up: http://localhost:{board.port}" in done.stdout
            answer = board.get("/api/threads")
            assert answer.headers["x-served-by"].startswith(process)
        assert board.containers("monolith") == []
