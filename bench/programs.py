"""Starts the programs that are measured, waits for them, and ends them afterwards."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from topology.routing import STAND_INS

ROOT: Final = Path(__file__).parents[1]
PATH: Final = "/api/threads"
"""The path of all requests; a rule of the deployed template forwards it to the threads service."""
_START_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Proxy:
    """A measured proxy. `pid` is the process that handles its requests."""

    name: str
    port: int
    pid: int


def cpu_seconds(pid: int) -> float:
    """The user and system time that a process has used so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int, field: str = "VmRSS") -> float:
    """The resident memory of a process in MiB; with `field="VmHWM"`, its peak."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith(field + ":")]
    return int(line.split()[1]) / 1024


@contextmanager
def gateway(folder: Path, port: int, upstream_port: int) -> Iterator[Proxy]:
    parameters = {**STAND_INS, "ListenerPort": str(port)}
    command = [
        *(sys.executable, "-m", "gateway", "--template", str(ROOT / "infra" / "routing.yml")),
        *(f"--parameter={name}={value}" for name, value in parameters.items()),
        *("--target", f"ThreadsTargets=http://127.0.0.1:{upstream_port}"),
        *("--access-log", str(folder / "gateway.log"), "--access-log-format", "alb"),
    ]
    with process(command) as running:
        wait_for(port, running)
        yield Proxy("gateway", port, running.pid)


@contextmanager
def process(command: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(  # noqa: S603 - our own arguments
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(port: int, process: "subprocess.Popen[bytes]", path: str = PATH) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
