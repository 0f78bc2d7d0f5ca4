"""Runs the acceptance tests on the board in Compose, once for each profile."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from threading import Lock
from typing import Final

import pytest

from tests.docker.project import PROFILES, ROOT, project
from tests.patience import PATIENT
from topology.deployments import MONOLITH

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("images")]

_EVERYTHING: Final = MONOLITH
"""The profile that also passes the rules of one context, whose code is the same in each."""

Outcome = tuple[int, str]
"""Exit code and output."""


@pytest.fixture(scope="module")
def outcomes(images: list[str]) -> Iterator[Mapping[str, Future[Outcome]]]:  # noqa: ARG001 - they must have been built
    """Test all profiles at the same time, because tests mostly wait; they start one by one."""
    starting = Lock()
    with ThreadPoolExecutor(len(PROFILES)) as pool:
        yield {profile: pool.submit(_outcome, profile, starting) for profile in PROFILES}


@pytest.mark.parametrize("profile", PROFILES)
def test_board_in_compose_passes_the_acceptance_tests(
    outcomes: Mapping[str, Future[Outcome]], profile: str
) -> None:
    code, said = outcomes[profile].result()
    assert code == 0, said


def _outcome(profile: str, starting: Lock) -> Outcome:
    with ExitStack() as stack:
        with starting:
            board = stack.enter_context(
                project(f"board-tests-acceptance-{profile}", profile, PATIENT)
            )
            board.up()
        under_test = {
            "url": board.url,
            "public_origin": f"http://localhost:{board.port}",
            "databases": board.database_urls(),
            "secrets": list(board.secrets().values()),
            "logs": {
                "commands": [board.command("logs", "--no-color", "--no-log-prefix")],
                "lines": 2,
                "environment": {"COMPOSE_PROFILES": profile},
            },
        }
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "tests/acceptance", "--quiet"),
                *("-p", "no:cacheprovider"),
                *([] if profile == _EVERYTHING else ["-m", "not one_deployment"]),
            ],
            cwd=ROOT,
            env={**os.environ, "BOARD_UNDER_TEST": json.dumps(under_test)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=800,
            check=False,
        )
        logs = "" if done.returncode == 0 else board.compose("logs", "--tail=50").stdout
    return done.returncode, f"{done.stdout}\n{logs}"
