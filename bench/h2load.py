"""One run of h2load against one process."""

import re
import subprocess
from pathlib import Path

from bench.programs import cpu_seconds
from bench.wrk import LoadRun


def run_h2load(pid: int, uris: Path, seconds: int, connections: int, streams: int) -> LoadRun:
    """Load the addresses in the file `uris`, in turn, over HTTP/2 for `seconds`, with so many
    streams on each connection, and measure the process `pid`. Raises `RuntimeError` if any request
    failed, or if the output of h2load is not what is expected."""
    before = cpu_seconds(pid)
    done = subprocess.run(  # noqa: S603 - our own arguments
        [
            *("h2load", "--threads=1", f"--clients={connections}"),
            *(f"--max-concurrent-streams={streams}", f"--duration={seconds}"),
            f"--input-file={uris}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 30,
    )
    used = cpu_seconds(pid) - before
    rate = re.search(r"finished in [\d.]+s, ([\d.]+) req/s", done.stdout)
    statuses = re.search(r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", done.stdout)
    if rate is None or statuses is None or "Application protocol: h2\n" not in done.stdout:
        raise RuntimeError(f"{uris}: requests failed, or unexpected output:\n{done.stdout}")
    return LoadRun(float(rate[1]), used / int(statuses[1]))
