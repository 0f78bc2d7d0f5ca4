"""One run of wrk against one process."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from bench.programs import cpu_seconds


@dataclass(frozen=True)
class LoadRun:
    """Requests per second, and the CPU seconds that the process used for each request."""

    rate: float
    cpu_per_request: float


def run_wrk(
    pid: int, url: str, seconds: int, connections: int, arguments: Sequence[str] = ()
) -> LoadRun:
    """Load `url` for `seconds`, and measure the process `pid`. Raises `RuntimeError` if any request
    failed, or if the output of wrk is not what is expected."""
    before = cpu_seconds(pid)
    done = subprocess.run(  # noqa: S603 - our own arguments
        [
            *("wrk", "--threads", "1", "--connections", str(connections), *arguments),
            *("--duration", f"{seconds}s", url),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 30,
    )
    used = cpu_seconds(pid) - before
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise RuntimeError(f"{url}: requests failed:\n{done.stdout}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    count = re.search(r"(\d+) requests in", done.stdout)
    if rate is None or count is None:
        raise RuntimeError(f"unexpected output of wrk:\n{done.stdout}")
    return LoadRun(float(rate[1]), used / int(count[1]))
