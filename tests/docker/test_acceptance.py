"""The acceptance tests, unchanged, on the board in Compose: once for each profile."""

import json
import os
import subprocess
import sys

import pytest

from tests.docker.project import PROFILES, ROOT, project

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("images")]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_board_in_compose_passes_the_acceptance_tests(profile: str) -> None:
    with project("board-tests-acceptance", profile) as board:
        board.up()
        under_test = {
            "url": board.url,
            "public_origin": f"http://localhost:{board.port}",
            "databases": board.database_urls(),
        }
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "tests/acceptance", "--quiet"),
                *("-p", "no:cacheprovider"),
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
    assert done.returncode == 0, f"{done.stdout}\n{logs}"
