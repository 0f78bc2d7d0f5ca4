"""The commands as `make` runs them: what they print, what they start, how they end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import ROOT


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m rollout COMMAND` where no board runs, with a `make` that prints its arguments."""
    fake = folder / "make"
    fake.write_text('#!/bin/sh\necho "make $*: $CONTEXT $SHARE"\nexit 7\n')
    fake.chmod(0o755)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name not in ("CONTEXT", "SHARE", "ON", "FORCE")
    }
    return subprocess.run(
        [sys.executable, "-m", "rollout", command],
        cwd=ROOT,
        env=inherited
        | {"PATH": f"{folder}:{os.environ['PATH']}", "DATA_DIR": str(folder / "data")}
        | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_shift_on_aws_is_the_command_for_aws(tmp_path: Path) -> None:
    done = run("shift", tmp_path, ON="aws", CONTEXT="posts", SHARE="10")
    assert done.stdout == "The board on AWS:\nmake shift-ecs: posts 10\n"
    assert done.returncode == 7


def test_shares_on_aws_is_the_command_for_aws(tmp_path: Path) -> None:
    done = run("shares", tmp_path, ON="aws")
    assert done.stdout.startswith("The board on AWS:\nmake shares-ecs")


@pytest.mark.parametrize("command", ["start", "stop"])
def test_start_and_stop_on_aws_name_the_commands_that_do_it(tmp_path: Path, command: str) -> None:
    done = run(command, tmp_path, ON="aws", CONTEXT="posts")
    assert (done.returncode, done.stdout) == (1, "")
    assert "make deploy-ecs DEPLOYMENT=strangler" in done.stderr


@pytest.mark.parametrize("share", ["101", "-1", "ten"])
def test_share_that_is_no_percentage_is_refused_before_a_board_is_looked_for(
    tmp_path: Path, share: str
) -> None:
    done = run("shift", tmp_path, ON="nowhere", CONTEXT="posts", SHARE=share)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"make shift: SHARE={share}: it must be a whole number from 0 to 100.\n")


def test_command_without_a_board_is_refused(tmp_path: Path) -> None:
    done = run("shares", tmp_path, ON="laptop")
    assert done.returncode == 1
    assert done.stderr == "make shares: no board runs here: start one with make run (laptop).\n"
