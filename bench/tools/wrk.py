"""One run of wrk against one process."""

import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.programs import cpu_seconds

DONE: Final = """
done = function(summary, latency, requests)
  io.write(string.format("counted %d %d\\n", summary.requests, summary.bytes))
end
"""
"""What every script for wrk ends with: it prints the number of responses, and of their bytes."""


@dataclass(frozen=True)
class LoadRun:
    """Requests per second, the CPU seconds that the process used for each request, the number of
    requests, and the bytes of a response on average."""

    rate: float
    cpu_per_request: float
    requests: int
    response_bytes: float


def run_wrk(
    pid: int,
    url: str,
    seconds: int,
    connections: int,
    arguments: Sequence[str] = (),
    *,
    script: str = "",
    cpu: Callable[[int], float] = cpu_seconds,
) -> LoadRun:
    """Load `url` for `seconds`, and measure the process `pid`, whose CPU time `cpu` reads. `script`
    is Lua that makes the requests. Raises `RuntimeError` if any request failed, or if the output of
    wrk is not what is expected."""
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        file = Path(folder) / "script.lua"
        file.write_text(script + DONE, encoding="ascii")
        before = cpu(pid)
        done = subprocess.run(  # noqa: S603 - our own arguments
            [
                *("wrk", "--threads", "1", "--connections", str(connections)),
                *("--script", str(file), *arguments, "--duration", f"{seconds}s", url),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + 30,
        )
        used = cpu(pid) - before
    return read(done.stdout, used, url)


def read(output: str, cpu_used: float, url: str) -> LoadRun:
    """The result that wrk printed. Raises `RuntimeError` as `run_wrk` does."""
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"{url}: requests failed:\n{output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    counted = re.search(r"^counted (\d+) (\d+)$", output, re.MULTILINE)
    if rate is None or counted is None or counted[1] == "0":
        raise RuntimeError(f"unexpected output of wrk:\n{output}")
    requests = int(counted[1])
    return LoadRun(float(rate[1]), cpu_used / requests, requests, int(counted[2]) / requests)
