"""The circumstances of a run, without which its figures mean nothing."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class Circumstances:
    """Which commit was measured when, on which machine, by which command.

    `load` is the machine's load average at the start: other programs that compete for its cores
    make all absolute figures worse."""

    command: str
    commit: str
    began: datetime
    cores: int
    processor: str
    memory_gib: float
    system: str
    python: str
    load: float

    def sentence(self) -> str:
        """All of it, as text."""
        return (
            f"Made by `{self.command}` at commit {self.commit} on {self.began:%Y-%m-%d, %H:%M} UTC,"
            f" on {self.cores} cores ({self.processor}), {self.memory_gib:.0f} GiB, {self.system},"
            f" Python {self.python}; the load average was {self.load:.1f} when it began."
        )


def observe(command: str) -> Circumstances:
    """The circumstances now. Needs Linux."""
    return Circumstances(
        command=command,
        commit=_commit(),
        began=datetime.now(UTC),
        cores=len(os.sched_getaffinity(0)),
        processor=_first("/proc/cpuinfo", "model name") or platform.machine(),
        memory_gib=int((_first("/proc/meminfo", "MemTotal") or "0").split()[0]) / 1024**2,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load=os.getloadavg()[0],
    )


def _commit() -> str:
    """The short id of the commit, and whether files differ from it; `unknown` without Git."""
    try:
        commit = _git("rev-parse", "--short=10", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}, with changes" if changed else commit


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["git", *arguments],  # noqa: S607 - found on the PATH
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _first(path: str, name: str) -> str | None:
    """The value of the first line with this name; None if there is none."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        found, colon, value = line.partition(":")
        if colon and found.strip() == name:
            return value.strip()
    return None
