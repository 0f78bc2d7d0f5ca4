"""`make chaos` with real processes: it passes on the board, and Ctrl-C leaves nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import data_folders
from tests.children import children
from tests.deployments import ROOT
from tests.eventually import eventually_blocking
from tests.play.test_interrupting import is_running


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """The environment of a run in a folder of its own, with one fault."""
    with tempfile.TemporaryDirectory(prefix="board-chaos-", dir=data_folders.parent()) as name:
        folder = Path(name)
        folder.chmod(0o711)  # for the user that PostgreSQL runs as
        yield {
            **os.environ,
            "RATE": "40",
            "TIMES": "report",
            "ONLY": "threads answers calls with garbage",
            "DATA_DIR": str(folder / "data"),
            "REPORT": str(folder / "report.md"),
        }


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a run."""
    return subprocess.Popen(
        [sys.executable, "-m", "chaos"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.twice  # `SHORT=1 make chaos` is a step of .ci/run
@pytest.mark.timeout(180)
def test_board_loses_nothing_in_a_fault(environment: dict[str, str]) -> None:
    output, _ = start(environment).communicate(timeout=150)
    report = Path(environment["REPORT"]).read_text()
    assert "✓ threads answers calls with garbage" in output
    assert "| ✓ | threads answers calls with garbage |" in report, output
    assert "1 of 1 faults passed every check." in report
    assert "✗" not in output + report


@pytest.mark.timeout(180)
def test_interrupted_run_stops_every_process(environment: dict[str, str]) -> None:
    run = start(environment)
    processes: list[int] = []

    def has_started() -> bool:
        processes[:] = children(run.pid)
        return len(processes) > 3

    eventually_blocking(has_started, within=90, what="the board starts")
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=90)
    assert run.returncode == 130, output
    assert "Nothing runs any more." in output
    eventually_blocking(lambda: not any(is_running(one) for one in processes), what="nothing runs")
