"""Commands over a Unix socket: one JSON object on a line, and one back, a connection for each.

The gateway's admin socket and the run's own have this form. A response is `{"result": ...}`, or
`{"problems": [...]}` with sentences for the user.
"""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from laptop.errors import CannotRunError, RefusedOperationError

_LONGEST_REQUEST = 64 * 1024
_READ_SECONDS = 5.0

Handle = Callable[[Mapping[str, Any]], Awaitable[object]]


def send(path: Path, request: Mapping[str, object], *, seconds: float) -> Any:
    """Send a command, and return its result.

    Raises:
        RefusedOperationError: the command was refused; the message has all problems.
        OSError: nobody listens at `path`, or there was no response within `seconds`.
        ValueError: the response is not one of these.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        connection.connect(os.fspath(path))
        connection.sendall(json.dumps(request).encode() + b"\n")
        received = b""
        while data := connection.recv(65536):
            received += data
    response = json.loads(received)
    if "problems" in response:
        raise RefusedOperationError("\n".join(response["problems"]))
    return response["result"]


def listens(path: Path) -> bool:
    """Whether a process takes commands at `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
    return True


class CommandServer:
    """Runs `handle` for each command that arrives at `path`, which only this user can open."""

    def __init__(self, path: Path, handle: Handle) -> None:
        """`handle` returns the result, or raises RefusedOperationError."""
        self._path = path
        self._handle = handle
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Take commands until cancelled, which also cancels those that are running.

        Raises:
            CannotRunError: another process listens at `path`.
        """
        server = await asyncio.start_unix_server(
            self._connected, sock=self._bind(), limit=_LONGEST_REQUEST
        )
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            self._path.unlink(missing_ok=True)
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _bind(self) -> socket.socket:
        if listens(self._path):
            raise CannotRunError(
                f"{self._path} belongs to another run: stop that one, or use another folder "
                "with DATA_DIR=/elsewhere"
            )
        # A run that was killed leaves its socket behind.
        self._path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(os.fspath(self._path))
        self._path.chmod(0o600)
        listening.setblocking(False)
        return listening

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            async with asyncio.timeout(_READ_SECONDS):
                line = await reader.readline()
            writer.write(json.dumps(await self._respond(line)).encode() + b"\n")
            await writer.drain()
        except (OSError, TimeoutError):
            # The client has gone.
            pass
        finally:
            writer.close()

    async def _respond(self, line: bytes) -> Mapping[str, object]:
        try:
            request = json.loads(line)
        except ValueError:
            return {"problems": ["The request is not JSON."]}
        if not isinstance(request, dict):
            return {"problems": ["The request is not a JSON object."]}
        try:
            return {"result": await self._handle(request)}
        except RefusedOperationError as refused:
            return {"problems": [str(refused)]}
