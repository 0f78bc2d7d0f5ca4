"""How long each server takes from the start of its process until it is ready for requests."""

import contextlib
import http.client
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.board import Plan, create_databases, tree_cpu_seconds
from bench.effort import Effort
from bench.figures import Figure, Section, at_most
from bench.programs import process
from laptop.postgres.throwaway import throwaway
from topology.deployments import MONOLITH, SERVERS

_PAUSE: Final = 0.005
_PATIENCE: Final = 60.0


def measure(effort: Effort) -> Section:
    """Start each server several times, one after the other."""
    with throwaway() as postgres:
        urls = create_databases(postgres)
        # The first start compiles what has no bytecode yet, and reads it from the disk.
        starts = {
            name: [_start(name, urls) for _ in range(effort.pairs + 1)][1:] for name in SERVERS
        }
    return Section(
        "Start",
        "Seconds from the start of a server's process until `/readyz` answers 200, with a database"
        " that is migrated; the first start of each is left out, because it fills the disk's"
        " cache.",
        tuple(figure for name, found in starts.items() for figure in _figures(name, found)),
    )


def _figures(name: str, starts: Sequence[tuple[float, float]]) -> Iterator[Figure]:
    seconds, cpu = zip(*starts, strict=True)
    yield Figure(f"start of {name}", seconds, "s", floor=at_most(3), goal=at_most(1.5))
    yield Figure(f"start of {name}: CPU time", cpu, "s")


def _start(name: str, urls: Mapping[str, str]) -> tuple[float, float]:
    """The seconds until a server is ready, and the CPU seconds that it used until then."""
    deployment = "monolith" if name == MONOLITH else "microservices"
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        planned = Plan.make(deployment, urls, Path(folder), {}).server(name)
        began = time.perf_counter()
        with process(planned.program.command, planned.program.environment) as running:
            _wait(planned.port, running)
            return time.perf_counter() - began, tree_cpu_seconds(running.pid)


def _wait(port: int, running: "subprocess.Popen[bytes]") -> None:
    """Wait for a 200. Raises `RuntimeError` if the process ends, or takes a minute."""
    deadline = time.perf_counter() + _PATIENCE
    while time.perf_counter() < deadline and running.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        time.sleep(_PAUSE)
    raise RuntimeError(f"{running.args!r} is not ready after {_PATIENCE:.0f} s, or ended")
