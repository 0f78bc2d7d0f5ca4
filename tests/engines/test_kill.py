"""After `kill -9` at any transition, the history is that of a run without it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kernel.data.database import Database
from services.cases.engines.execution_store import ExecutionStore
from tests.effort import Effort
from tests.engines.ledger import acts

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "tests.engines.killed_main"


def run(url: str, case: int, *kill_at: int) -> subprocess.CompletedProcess[str]:
    arguments = [url, str(case), *(str(point) for point in kill_at)]
    return subprocess.run(
        [sys.executable, "-m", PROGRAM, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def history(database: Database, case: int) -> list[tuple[str, str | None, str]]:
    """The history, with 001 instead of the case's number."""
    return [
        (one.type, one.state, str(one.details).replace(f"{case:03d}", "001"))
        for one in await ExecutionStore(database).history(case)
    ]


@pytest.mark.prove
@pytest.mark.timeout(300)
async def test_kill_at_every_point_ends_in_the_same_history(
    cases_url: str, cases_database: Database, effort: Effort
) -> None:
    first = run(cases_url, 1)
    assert first.returncode == 0, first.stderr
    expected, points = await history(cases_database, 1), int(first.stdout)
    assert points > 50
    killed_at = range(1, points + 1, effort.kill_every)
    for point in killed_at:
        killed = run(cases_url, 1 + point, point)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    # If it was killed before its start was committed, there is no case to continue.
    rows = await cases_database.rows("SELECT case_id FROM executions ORDER BY case_id")
    cases = [row["case_id"] for row in rows]
    assert len(cases) >= len(killed_at) - 1
    resumed = run(cases_url, 0)
    assert resumed.returncode == 0, resumed.stderr
    for case in cases:
        assert await history(cases_database, case) == expected, f"killed at point {case - 1}"
    assert await acts(cases_database) == dict.fromkeys(cases, 1)
