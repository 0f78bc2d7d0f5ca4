"""A rolling restart, with real processes and a gateway that only records what it is asked."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from laptop import ports
from laptop.errors import RefusedOperationError
from laptop.log import MergedLog
from laptop.operations import Copy, Operations, Running
from laptop.processes.process import Program
from laptop.processes.supervised import SupervisedProcess
from laptop.programs import Server, target_url
from laptop.traffic import Traffic

SERVER = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


class RecordedTraffic(Traffic):
    """A gateway that serves everything, and remembers which targets it was to add and remove."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))
        self.events: list[tuple[str, str]] = []

    async def shares(self) -> dict[str, int]:
        """All requests go to the services."""
        return {}

    async def health(self) -> dict[str, str]:
        """Nothing is known."""
        return {}

    async def register(self, server: str, url: str, *, seconds: float) -> None:  # noqa: ARG002 - at once
        """Add a target."""
        self.events.append(("register", url))

    async def drain(self, server: str, url: str, *, seconds: float) -> bool:  # noqa: ARG002 - at once
        """Remove a target."""
        self.events.append(("drain", url))
        return True


@asynccontextmanager
async def operations(copies: int, traffic: Traffic) -> AsyncIterator[tuple[Operations, Running]]:
    """The operations of a run in which `web` has that many copies."""
    free = ports.free(copies)
    log = MergedLog(os.open(os.devnull, os.O_WRONLY), names=["web"], colour=False)
    running: Running = {}

    def make(name: str, number: int) -> Server:
        port = free[number - 1]
        command = (sys.executable, "-I", "-S", "-c", SERVER, str(port))
        return Server(Program(f"{name}-{number}", command, {}, Path("/")), port)

    def launched(server: Server, supervisors: asyncio.TaskGroup) -> Copy:
        process = SupervisedProcess(server.program, log)
        process.start()
        process.establish()
        supervisors.create_task(process.supervise())
        return Copy.of(server, process)

    async with asyncio.TaskGroup() as supervisors:
        numbers = range(1, copies + 1)
        running["web"] = [launched(make("web", number), supervisors) for number in numbers]
        try:
            yield (
                Operations(running, make, copies, traffic, supervisors, log, lambda _: None),
                running,
            )
        finally:
            for copy in running["web"]:
                await copy.process.stop(5)
    log.close()


async def test_restart_replaces_one_copy_after_another() -> None:
    traffic = RecordedTraffic()
    async with operations(2, traffic) as (performed, running):
        before = [*running["web"]]
        await performed.run({"command": "restart", "context": "web"})
        first, second = (target_url(copy.server.port) for copy in before)
        assert traffic.events == [
            *(("drain", first), ("register", first)),
            *(("drain", second), ("register", second)),
        ]
        assert not {*map(id, before)} & {*map(id, running["web"])}


async def test_restart_of_an_only_process_is_refused() -> None:
    traffic = RecordedTraffic()
    async with operations(1, traffic) as (performed, running):
        before = [*running["web"]]
        with pytest.raises(RefusedOperationError, match="COPIES=2"):
            await performed.run({"command": "restart", "context": "web"})
        assert running["web"] == before
    assert traffic.events == []
