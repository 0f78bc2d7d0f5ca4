"""The board of a play: `make run` in a folder of its own, whose log goes to a file."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from laptop import control, ports
from laptop.control import RunningBoard
from laptop.data_folder import make_data_folder
from laptop.errors import RefusedOperationError
from laptop.processes import die_with_parent
from strangle.errors import CannotPlayError
from topology.deployments import MONOLITH
from topology.limits import NO_LIMITS

ROOT: Final = Path(__file__).resolve().parent.parent
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 60.0
_POLL: Final = 0.1


class PlayedBoard:
    """A board that runs, on `port`, with its data in `data_folder`. `run` is the process id of its
    `make run`."""

    def __init__(self, running: RunningBoard, port: int, data_folder: Path, run: int) -> None:
        self._running = running
        self.port = port
        self.run = run
        self.data_folder = data_folder

    async def start(self, server: str) -> None:
        """Start a server, and those that it calls, unless it runs. Raises CannotPlayError."""
        if server not in await self.running():
            await self._send("start", context=server)

    async def stop(self, server: str) -> None:
        """Stop a server that gets no requests. Raises CannotPlayError."""
        await self._send("stop", context=server)

    async def shift(self, service: str, share: int, *, force: bool = False) -> None:
        """Send a service this percentage of its requests. Raises CannotPlayError."""
        await self._send("shift", context=service, share=share, force=force)

    async def kill(self, server: str) -> None:
        """Kill a server as `make break HOW=kill` does. Raises as `start` does."""
        await self._send("break", context=server, how="kill")

    async def restart(self, server: str) -> None:
        """Replace the processes of a server that has copies, one after another. Raises
        CannotPlayError."""
        await self._send("restart", context=server)

    async def running(self) -> Sequence[str]:
        """The servers that run. Raises CannotPlayError."""
        running: Sequence[str] = (await self._send("state"))["running"]
        return running

    async def grant_admin(self, name: str) -> None:
        """Make a user an admin, as `make grant-admin` does. Raises CannotPlayError."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "laptop.commands.grant_admin", name),
            cwd=ROOT,
            env={**os.environ, "DATA_DIR": str(self.data_folder)},
            stdout=asyncio.subprocess.DEVNULL,
        )
        if await process.wait() != 0:
            raise CannotPlayError(f"{name} could not be made an admin")

    async def _send(self, command: str, **arguments: object) -> Mapping[str, Any]:
        try:
            return await asyncio.to_thread(self._running.send, command, **arguments)
        except RefusedOperationError as refused:
            raise CannotPlayError(str(refused)) from refused
        except (OSError, ValueError) as error:
            raise CannotPlayError(f"the board does not answer: {error}") from error


@asynccontextmanager
async def running_board(
    data_folder: Path,
    port: int,
    deployment: str = MONOLITH,
    variables: Mapping[str, str] | None = None,
    launched: Callable[[int], None] = lambda _: None,
) -> AsyncIterator[PlayedBoard]:
    """Run a board until the block ends, then stop all servers that run by then.

    `variables` are added to the environment of the run. `launched` is called with its process id,
    before it is up. The data stays. The log is
    `data_folder/log`. With `port` 0, the gateway has a free port.
    Raises CannotPlayError if it does not start.
    """
    make_data_folder(data_folder)
    port = port or ports.free(1)[0]
    log = data_folder / "log"
    environment = {
        **os.environ,
        **NO_LIMITS,  # a play sends in a minute what a visitor sends in a year
        "DEPLOYMENT": deployment,
        "DATA_DIR": str(data_folder),
        "PORT": str(port),
        **(variables or {}),
    }
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *die_with_parent.command(
                [sys.executable, "-m", "laptop"], death_signal=signal.SIGTERM
            ),
            cwd=ROOT, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=output,
            stderr=output,
            # Ctrl-C reaches only the play, which stops the board after its audit.
            start_new_session=True,
        )  # fmt: skip
    launched(process.pid)
    ended = asyncio.create_task(process.wait())
    try:
        async with asyncio.timeout(_START_SECONDS):
            while (running := control.find(data_folder)) is None:
                if ended.done():
                    raise CannotPlayError(f"the board did not start: {_last_lines(log)}")
                await asyncio.sleep(_POLL)
        yield PlayedBoard(running, port, data_folder, process.pid)
    except TimeoutError as error:
        raise CannotPlayError(f"the board did not start: {_last_lines(log)}") from error
    finally:
        if not ended.done():
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await asyncio.shield(ended)
        except TimeoutError:
            process.kill()
            await ended


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
