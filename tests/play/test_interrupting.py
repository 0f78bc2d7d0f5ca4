"""Ctrl-C in the middle of a play leaves no process behind, and the data whole."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import data_folders
from tests.children import children
from tests.deployments import ROOT
from tests.eventually import eventually_blocking


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.twice  # tests/unit/strangle/test_signals.py shows that both signals stop a play
@pytest.mark.timeout(150)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_play_stops_everything_and_audits_what_was_acknowledged(
    number: signal.Signals,
) -> None:
    with tempfile.TemporaryDirectory(prefix="board-play-", dir=data_folders.parent()) as name:
        folder = Path(name)
        folder.chmod(0o711)  # for the user that PostgreSQL runs as
        log = folder / "log"
        environment = {
            **os.environ,
            "RATE": "50",
            "PAUSE": "2",
            "TIMES": "report",  # a time is that of this machine
            "DATA_DIR": str(folder / "data"),
            "REPORT": str(folder / "report.html"),
        }
        with log.open("w") as output:
            play = subprocess.Popen(
                [sys.executable, "-m", "strangle"],
                cwd=ROOT, env=environment, stdout=output, stderr=output,
            )  # fmt: skip
        eventually_blocking(_has(log, "start users:"), within=90, what="the first service starts")
        processes = [*children(play.pid)]
        assert len(processes) > 3
        play.send_signal(number)
        assert play.wait(60) == 130, log.read_text()
        eventually_blocking(
            lambda: not any(is_running(one) for one in processes), what="nothing runs"
        )
        assert "✓ no acknowledged write is lost" in log.read_text()
        lines = log.read_text().splitlines()
        assert not [line for line in lines if line.startswith("✗")]
        assert "p99 during steps is at most 2 times" in log.read_text()
        assert "The play was interrupted." in (folder / "report.html").read_text()


def test_invalid_setting_is_refused_before_anything_starts(tmp_path: Path) -> None:
    play = subprocess.run(
        [sys.executable, "-m", "strangle"],
        cwd=ROOT,
        env={**os.environ, "RATE": "ten", "DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (play.returncode, play.stdout) == (2, "")
    assert "RATE=ten: it must be a number from 1 to 5000" in play.stderr
    assert not (tmp_path / "data").exists()


def _has(log: Path, text: str) -> Callable[[], bool]:
    return lambda: text in log.read_text()
