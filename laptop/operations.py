"""What can be done with a running board: start, stop and break its servers, move its traffic."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from laptop import probe
from laptop.errors import CannotRunError, RefusedOperationError
from laptop.log import MergedLog
from laptop.processes.faults import FAULTS, Faults
from laptop.processes.supervised import SupervisedProcess
from laptop.programs import Server, target_url
from laptop.traffic import Traffic
from topology.changes import why_not_shift, why_not_stop, with_called
from topology.deployments import SERVERS, SERVICES

_START_SECONDS = 60.0
_DRAIN_SECONDS = 5.0
SERVICE_PATIENCE = 12.0
"""Seconds that a server may take to stop, before it is killed."""


@dataclass(frozen=True)
class Copy:
    """One of the processes in which a server runs."""

    server: Server
    process: SupervisedProcess
    faults: Faults

    @classmethod
    def of(cls, server: Server, process: SupervisedProcess) -> "Copy":
        """A process in which nothing is broken."""
        return cls(server, process, Faults(process))


Running: TypeAlias = dict[str, list[Copy]]
"""The copies of each server that runs, by its name."""


class Operations:
    """The operations on a run. One at a time: another is refused while one is being carried out.

    Every method raises RefusedOperationError before it changes anything, unless it says otherwise.
    """

    def __init__(
        self,
        running: Running,
        make: Callable[[str, int], Server],
        copies: int,
        traffic: Traffic,
        supervisors: asyncio.TaskGroup,
        log: MergedLog,
        on_change: Callable[[Mapping[str, int]], None],
    ) -> None:
        """`running` is kept up to date. `make` returns how to run a copy of a server; copies are
        numbered from 1 to `copies`. `on_change` is called with the shares after each change."""
        self._running = running
        self._make = make
        self._numbers = range(1, copies + 1)
        self._traffic = traffic
        self._supervisors = supervisors
        self._log = log
        self._on_change = on_change
        self._busy: str | None = None

    async def run(self, request: Mapping[str, Any]) -> object:
        """Carry out a command, as the control socket receives it, and return its result."""
        command = request.get("command")
        if command == "state":
            return await self.state()
        context, share = request.get("context"), request.get("share")
        what = f"{command} CONTEXT={context}" + ("" if share is None else f" SHARE={share}")
        if self._busy is not None:
            raise RefusedOperationError(f"make {self._busy} is not finished yet")
        self._busy = what
        try:
            if command == "start":
                await self.start(_server(context))
            elif command == "stop":
                await self.stop(_server(context))
            elif command == "shift":
                await self.shift(_service(context), _share(share), force=bool(request.get("force")))
            elif command == "restart":
                await self.restart(_server(context))
            elif command == "break":
                self.break_(_server(context), request.get("how"))
            else:
                raise RefusedOperationError(f"There is no command {command!r}")
            self._on_change(await self._traffic.shares())
        finally:
            self._busy = None
        self._log.say("board", f"done: {what}")
        return await self.state()

    async def state(self) -> Mapping[str, object]:
        """`shares` by service, in percent; `health` by server, for those that are targets; and
        `running`, the servers whose processes run."""
        return {
            "shares": await self._traffic.shares(),
            "health": await self._traffic.health(),
            "running": [*self._running],
        }

    async def start(self, name: str) -> None:
        """Start a server, and the services that it calls, and make them targets.

        A server that does not start is stopped again, and with it those that were started for it.
        """
        wanted = [one for one in with_called(name) if one not in self._running]
        if name not in wanted:
            raise RefusedOperationError(f"{name} is running already")
        started: list[str] = []
        try:
            for one in wanted:
                started.append(one)
                await self._start(one)
        except Exception:
            for one in reversed(started):
                await self._stop(one)
            raise

    async def stop(self, name: str) -> None:
        """Stop a server that nobody needs: send it no more requests, wait for those that it has,
        end its process."""
        # Also one that runs without being a target may stop: its health is then unknown.
        health = dict.fromkeys(self._running, "running")
        refused = why_not_stop(health, await self._traffic.shares(), name)
        if refused:
            raise RefusedOperationError(refused)
        await self._stop(name)

    async def restart(self, name: str) -> None:
        """Replace the processes of a server, one after another: no request fails, since the other
        copies get them meanwhile.

        Also raises RefusedOperationError if a new process does not become ready; the copies after
        it then are not replaced.
        """
        if name not in self._running:
            raise RefusedOperationError(f"{name} is not running")
        copies = self._running[name]
        if len(copies) == 1:
            raise RefusedOperationError(
                f"{name} runs in one process, and its requests would fail: start the board with "
                "COPIES=2"
            )
        for number in self._numbers:
            await self._end(name, copies[number - 1])
            copies[number - 1] = await self._begin(name, number)

    async def shift(self, service: str, share: int, *, force: bool) -> None:
        """Send the service that percentage of its requests, and the monolith the rest.

        Whichever gets requests needs a healthy target, unless `force` says that it does not matter.
        """
        refused = None if force else why_not_shift(await self._traffic.health(), service, share)
        if refused:
            raise RefusedOperationError(refused)
        await self._traffic.set_share(service, share)

    def break_(self, name: str, how: object) -> None:
        """Apply one of FAULTS to a server's process; to the first one if it has copies."""
        if how not in FAULTS:
            raise RefusedOperationError(f"HOW={how}: it must be one of {', '.join(FAULTS)}")
        if name not in self._running:
            raise RefusedOperationError(f"{name} is not running")
        self._running[name][0].faults.apply(str(how))

    async def _start(self, name: str) -> None:
        self._running[name] = []
        for number in self._numbers:
            self._running[name] += [await self._begin(name, number)]

    async def _begin(self, name: str, number: int) -> Copy:
        """Start a process of a server, and make it a target. Ends it if that fails."""
        server = self._make(name, number)
        process = SupervisedProcess(server.program, self._log)
        process.start()
        supervising = asyncio.create_task(process.supervise())
        try:
            await _until_ready(server, supervising)
            process.establish()
            await self._traffic.register(name, target_url(server.port), seconds=_START_SECONDS)
        except BaseException:
            supervising.cancel()
            await process.stop(SERVICE_PATIENCE)
            raise
        self._supervisors.create_task(_forward(supervising))
        return Copy.of(server, process)

    async def _end(self, name: str, copy: Copy) -> None:
        """Send a process no more requests, wait for those that it has, and end it."""
        copy.faults.apply("mend")
        await self._traffic.drain(name, target_url(copy.server.port), seconds=_DRAIN_SECONDS)
        await copy.process.stop(SERVICE_PATIENCE)

    async def _stop(self, name: str) -> None:
        for copy in self._running[name]:
            await self._end(name, copy)
        del self._running[name]


async def _until_ready(server: Server, supervising: asyncio.Task[None]) -> None:
    """Wait until a server is ready. Raises RefusedOperationError if it has ended, or takes too
    long."""
    ready = asyncio.create_task(probe.until_ok(server.port, "/readyz", seconds=_START_SECONDS))
    try:
        await asyncio.wait({supervising, ready}, return_when=asyncio.FIRST_COMPLETED)
        if supervising.done():
            raise RefusedOperationError(_failure(supervising))
        if ready.result() != 200:
            name = server.program.name
            raise RefusedOperationError(
                f"{name} was not ready after {_START_SECONDS:.0f} s; its log says why"
            )
    finally:
        ready.cancel()


def _failure(supervising: asyncio.Task[None]) -> str:
    try:
        supervising.result()
    except CannotRunError as error:
        return str(error)
    return "it was stopped"


async def _forward(supervising: asyncio.Task[None]) -> None:
    await supervising


def _server(name: object) -> str:
    if name not in SERVERS:
        raise RefusedOperationError(f"CONTEXT={name}: it must be one of {', '.join(SERVERS)}")
    return str(name)


def _service(name: object) -> str:
    if name not in SERVICES:
        raise RefusedOperationError(f"CONTEXT={name}: it must be one of {', '.join(SERVICES)}")
    return str(name)


def _share(share: object) -> int:
    if type(share) is not int or not 0 <= share <= 100:
        raise RefusedOperationError(f"SHARE={share}: it must be a whole number from 0 to 100")
    return share
