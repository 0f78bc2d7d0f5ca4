"""The board that is broken: its processes, its database, and the proxies between its services."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]  # it ships no types

from chaos.clocks import Clocks, clocks
from chaos.database import Database
from chaos.proxy import Mode, Proxy
from laptop.programs import call_port
from strangle.board import PlayedBoard, running_board
from strangle.errors import CannotPlayError
from topology.contexts import CALLED
from topology.deployments import GATEWAY, SERVICES, module

DEPLOYMENT: Final = "microservices"
PROCESSES: Final = (*SERVICES, GATEWAY)
"""What can be killed besides the database."""

_START_SECONDS: Final = 60.0
_POLL: Final = 0.02


class BrokenBoard:
    """A board in services that runs on this machine, with faults."""

    def __init__(
        self, board: PlayedBoard, proxies: Mapping[str, Proxy], clocks: Clocks | None = None
    ) -> None:
        """`proxies` has, for each context that others call, the proxy that they call instead.
        Without `clocks`, those of the services cannot be changed."""
        self.played = board
        self.clocks = clocks
        self.database = Database(board.data_folder)
        self.proxies = proxies
        self._found: Mapping[str, int] = {}

    async def find(self, names: Iterable[str]) -> None:
        """Find the processes with these names, so that a signal reaches them without delay. Waits
        for those that are being restarted."""
        self._found = {
            name: (await _process(self.played.run, name)).pid for name in names if name in PROCESSES
        }

    def send_signal(self, names: Iterable[str], number: signal.Signals) -> None:
        """Send a signal to these processes, which were found before."""
        for name in names:
            os.kill(self._found[name], number)

    async def mend(self) -> None:
        """Undo every fault that lasts."""
        for proxy in self.proxies.values():
            proxy.set(Mode.NONE)
        if self.clocks is not None:
            self.clocks.set(SERVICES, 0)
        await self.database.mend()


async def _process(run: int, name: str) -> psutil.Process:
    """The process with that name of a run. Waits for one that is being started."""
    wanted = ["-m", GATEWAY if name == GATEWAY else module(name)]
    deadline = time.monotonic() + _START_SECONDS
    while True:
        for child in psutil.Process(run).children():
            try:
                if child.cmdline()[1:3] == wanted:
                    return child
            except psutil.Error:
                continue  # it has just ended
        if time.monotonic() > deadline:
            raise CannotPlayError(f"{name} does not run")
        await asyncio.sleep(_POLL)


async def _connect(proxies: Mapping[str, Proxy], run: int) -> None:
    """Find out to which ports the proxies pass connections on. The board needs them to start."""
    for name, proxy in proxies.items():
        proxy.upstream = int((await _process(run, name)).environ()["PORT"])


@asynccontextmanager
async def broken_board(
    data_folder: Path, copies: int = 1, *, with_clocks: bool = False
) -> AsyncIterator[BrokenBoard]:
    """A board that runs, with that many copies of each service, until the block ends. If there is
    one of each, a proxy is before each called service. `with_clocks` lets the services' clocks be
    changed. Raises CannotPlayError if it does not start."""
    async with AsyncExitStack() as stack:
        called = CALLED if copies == 1 else ()
        proxies = {name: await stack.enter_async_context(Proxy().running()) for name in called}
        variables = {call_port(name): str(proxy.port) for name, proxy in proxies.items()}
        variables["COPIES"] = str(copies)
        changed = stack.enter_context(clocks()) if with_clocks else None
        variables |= {} if changed is None else changed.variables
        connecting: list[asyncio.Task[None]] = []

        def launched(run: int) -> None:
            connecting.append(asyncio.create_task(_connect(proxies, run)))

        played = await stack.enter_async_context(
            running_board(data_folder, 0, DEPLOYMENT, variables, launched)
        )
        await asyncio.gather(*connecting)
        board = BrokenBoard(played, proxies, changed)
        try:
            yield board
        finally:
            await board.mend()
