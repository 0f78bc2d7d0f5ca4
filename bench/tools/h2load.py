"""One run of h2load against one process."""

import re
import subprocess
from pathlib import Path

from bench.programs import cpu_seconds
from bench.tools.wrk import LoadRun


def run_h2load(pid: int, uris: Path, seconds: int, connections: int, streams: int) -> LoadRun:
    """Load the addresses in the file `uris`, in turn, over HTTP/2 for `seconds`, with so many
    streams on each connection, and measure the process `pid`. Raises `RuntimeError` if any request
    failed, or if the output of h2load is not what is expected."""
    before = cpu_seconds(pid)
    output = _run(
        *(f"--clients={connections}", f"--max-concurrent-streams={streams}"),
        *(f"--duration={seconds}", f"--input-file={uris}"),
        timeout=seconds + 30,
    )
    used = cpu_seconds(pid) - before
    if "Application protocol: h2\n" not in output:
        raise RuntimeError(f"{uris}: HTTP/2 was not used:\n{output}")
    return read(output, used, str(uris))


def send_exactly(requests: int, uris: Path, connections: int) -> LoadRun:
    """Send so many requests over HTTP/1.1 to the addresses in the file `uris`, in turn. Raises
    `RuntimeError` as `run_h2load` does."""
    output = _run(
        *("--h1", f"--clients={connections}", f"--requests={requests}", f"--input-file={uris}"),
        timeout=600,
    )
    run = read(output, 0.0, str(uris))
    if run.requests != requests:
        raise RuntimeError(f"{uris}: {run.requests} of {requests} requests succeeded:\n{output}")
    return run


def _run(*arguments: str, timeout: float) -> str:
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["h2load", "--threads=1", *arguments],  # noqa: S607 - found on the PATH
        capture_output=True,
        text=True,
        check=True,
        timeout=timeout,
    )
    return done.stdout


def read(output: str, cpu_used: float, uris: str) -> LoadRun:
    """The result that h2load printed. Raises `RuntimeError` as `run_h2load` does."""
    rate = re.search(r"finished in [\d.]+[mu]?s, ([\d.]+) req/s", output)
    statuses = re.search(r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", output)
    traffic = re.search(r"^traffic: .*?\((\d+)\) total", output, re.MULTILINE)
    if rate is None or statuses is None or traffic is None or statuses[1] == "0":
        raise RuntimeError(f"{uris}: requests failed, or unexpected output:\n{output}")
    requests = int(statuses[1])
    return LoadRun(float(rate[1]), cpu_used / requests, requests, int(traffic[1]) / requests)
