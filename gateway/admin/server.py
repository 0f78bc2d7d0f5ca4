"""The admin interface: a Unix socket that only its owner can open.

Every web page in a browser on this machine could reach a port on loopback. A connection has one
request and one response, each a line of JSON.
"""

import asyncio
import json
import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.admin.control import Control, Json, RefusedCommandError

_MAX_REQUEST: Final = 64 * 1024
_READ_SECONDS: Final = 5.0
_MAX_DRAIN_SECONDS: Final = 3600


class AdminSocketError(Exception):
    """The socket cannot be created."""


class AdminServer:
    """Serves ``control`` on the socket at ``path``, from ``start`` to ``close``."""

    def __init__(self, control: Control, path: Path) -> None:
        self._control = control
        self._path = path
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begins to listen. Raises AdminSocketError."""
        listening = _bind(self._path)
        self._server = await asyncio.start_unix_server(
            self._connected, sock=listening, limit=_MAX_REQUEST
        )

    async def close(self) -> None:
        """Stops listening, and removes the socket."""
        if self._server is None:
            return
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)
        self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            async with asyncio.timeout(_READ_SECONDS):
                line = await reader.readline()
            writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError, TimeoutError):
            # The request is too long or too slow, or the client has gone: nobody waits for an
            # answer.
            pass
        finally:
            writer.close()
            if task is not None:
                self._tasks.discard(task)

    async def _answer(self, line: bytes) -> Mapping[str, object]:
        try:
            request = json.loads(line)
        except ValueError:
            return {"problems": ["not JSON"]}
        if not isinstance(request, dict):
            return {"problems": ["not a JSON object"]}
        try:
            return {"result": await self._run(request)}
        except RefusedCommandError as refused:
            return {"problems": list(refused.lines)}

    async def _run(self, request: Mapping[str, object]) -> Json:
        control = self._control
        command = request.get("command")
        if command == "health":
            group = request.get("group")
            return control.health(None if group is None else _text(request, "group"))
        if command == "rules":
            return control.rules()
        if command == "weights":
            return control.weights(_text(request, "rule"), _weights(request))
        if command == "register":
            return await control.register(_text(request, "group"), _text(request, "target"))
        if command == "deregister":
            return await control.deregister(_text(request, "group"), _text(request, "target"))
        if command == "drain":
            return await control.drain(
                _text(request, "group"), _text(request, "target"), _seconds(request)
            )
        if command == "reload":
            return await control.reload()
        raise RefusedCommandError(f"there is no command {command!r}")


def _text(request: Mapping[str, object], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise RefusedCommandError(f"{name} is text")
    return value


def _weights(request: Mapping[str, object]) -> dict[str, int]:
    weights = request.get("weights")
    if isinstance(weights, dict) and weights:
        found = {group: weight for group, weight in weights.items() if type(weight) is int}
        if len(found) == len(weights):
            return found
    raise RefusedCommandError("weights are whole numbers by target group")


def _seconds(request: Mapping[str, object]) -> float:
    seconds = request.get("seconds")
    if isinstance(seconds, int | float) and 0 <= seconds <= _MAX_DRAIN_SECONDS:
        return float(seconds)
    raise RefusedCommandError(f"seconds are a number from 0 to {_MAX_DRAIN_SECONDS}")


def _bind(path: Path) -> socket.socket:
    """A listening socket that only its owner can ever connect to."""
    _remove_stale(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(os.fspath(path))
    except OSError as error:
        listening.close()
        raise AdminSocketError(f"{path}: {error.strerror or error}") from error
    finally:
        os.umask(before)
    listening.listen()
    listening.setblocking(False)
    return listening


def _remove_stale(path: Path) -> None:
    """Removes the socket of a gateway that was killed. Raises AdminSocketError for anything
    else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise AdminSocketError(f"{path}: {error.strerror or error}") from error
    if not stat.S_ISSOCK(mode):
        raise AdminSocketError(f"{path} exists already, and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
        except OSError as error:
            raise AdminSocketError(f"{path}: {error.strerror or error}") from error
        else:
            raise AdminSocketError(f"{path} belongs to another running gateway")
