"""The board that `make run` runs on this machine, with proxies between its services."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]  # it ships no types

from chaos.board import POSTGRESQL, PROCESSES
from chaos.clocks import Clocks, clocks
from chaos.database import Database, LocalServer
from chaos.proxy import Mode, Proxy
from laptop.programs import call_port
from strangle.board import PlayedBoard, running_board
from strangle.errors import CannotPlayError
from topology.contexts import CALLED
from topology.deployments import GATEWAY, SERVICES, module

DEPLOYMENT: Final = "microservices"

_START_SECONDS: Final = 60.0
_POLL: Final = 0.02


class ProcessBoard:
    """A board of processes, whose run starts those again that end."""

    patience = 30.0

    def __init__(
        self, board: PlayedBoard, proxies: Mapping[str, Proxy], clocks: Clocks | None = None
    ) -> None:
        """`proxies` has, for each context that others call, the proxy that they call instead.
        Without `clocks`, those of the services cannot be changed."""
        self._played = board
        self._server = LocalServer(board.data_folder)
        self._found: Mapping[str, int] = {}
        self.port = board.port
        self.clocks = clocks
        self.database = Database(self._server)
        self.proxies = proxies

    async def grant_admin(self, name: str) -> None:
        """Make a user an admin. Raises CannotPlayError."""
        await self._played.grant_admin(name)

    async def restart(self, server: str) -> None:
        """Replace the processes of a server. Raises CannotPlayError."""
        await self._played.restart(server)

    async def find(self, names: Iterable[str]) -> None:
        """Find the processes. Waits for those that are being started again."""
        self._found = {
            name: (await _process(self._played.run, name)).pid
            for name in names
            if name in PROCESSES
        }

    async def kill(self, names: Sequence[str]) -> None:
        """End processes that were found before, and the postmaster, with which all of its sessions
        end."""
        for name in names:
            if name == POSTGRESQL:
                self._server.signal(signal.SIGKILL)
            else:
                os.kill(self._found[name], signal.SIGKILL)

    async def terminate(self, name: str) -> None:
        """Ask a process that was found before to end."""
        os.kill(self._found[name], signal.SIGTERM)

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
async def process_board(
    data_folder: Path, copies: int = 1, *, with_clocks: bool = False
) -> AsyncIterator[ProcessBoard]:
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
        board = ProcessBoard(played, proxies, changed)
        try:
            yield board
        finally:
            await board.mend()
