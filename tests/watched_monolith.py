"""A monolith in a process of its own, whose event loop and memory are watched.

As a program it reads the URLs of the contexts' databases from its first line of input, and serves
until its input ends. It writes its own URL, and then a line for each long callback.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import monolith.main
from kernel.process import logs
from kernel.process.serve import exempt_from_garbage_collection
from kernel.process.tracing import current_trace
from tests.deployments import ROOT, monolith_settings, serving
from tests.watched_loop import WatchedLoop

_REPORTED = 0.005  # seconds


@dataclass(frozen=True)
class LongCallback:
    """A callback that took `seconds` of processor time, for the request with this id if any."""

    seconds: float
    request: str
    what: str


@dataclass(frozen=True)
class WatchedMonolith:
    """The process. `callbacks` are its long ones, when it has ended."""

    url: str
    process: int
    callbacks: list[LongCallback] = field(default_factory=list)

    def reset_peak(self) -> int:
        """Reset the peak of the process's memory. Returns the bytes that it has now."""
        Path(f"/proc/{self.process}/clear_refs").write_text("5")
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most bytes of memory that the process has had since `reset_peak`."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        status = Path(f"/proc/{self.process}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024


@asynccontextmanager
async def watched_monolith(databases: Mapping[str, str]) -> AsyncIterator[WatchedMonolith]:
    """Start the process, and end it with the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.watched_monolith"),
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(dict(databases)).encode() + b"\n")
    try:
        url = (await process.stdout.readline()).decode().strip()
        found = WatchedMonolith(url, process.pid)
        yield found
        process.stdin.close()
        async for line in process.stdout:
            found.callbacks.append(LongCallback(**json.loads(line)))
    finally:
        process.stdin.close()
        await process.wait()


_started = threading.Event()


def _report(seconds: float, what: str) -> None:
    if not _started.is_set():
        return  # nobody waits for a process that starts
    trace = current_trace.get()
    request = "" if trace is None else trace.request_id
    line = {"seconds": seconds, "request": request, "what": what}
    print(json.dumps(line), flush=True)  # noqa: T201 - the output of this program


async def _serve(databases: Mapping[str, str]) -> None:
    settings = monolith_settings(databases)
    async with serving(monolith.main.application, settings) as url:
        exempt_from_garbage_collection()
        print(url, flush=True)  # noqa: T201 - likewise
        await asyncio.sleep(0)
        _started.set()
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Run the monolith."""
    databases = json.loads(sys.stdin.readline())
    with Path(os.devnull).open("w") as nowhere, logs.batched("json", nowhere):
        loop = partial(WatchedLoop, _report, _REPORTED)
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(_serve(databases))


if __name__ == "__main__":
    main()
