"""Runs a folder with a Python handler in AWS's Runtime Interface Emulator.

The emulator starts AWS's runtime client (``awslambdaric``), which imports the handler. Both have to
be installed: the client for the Python that runs the handler, and the emulator as
``aws-lambda-rie`` on the PATH or, for the same Python, inside ``aws-sam-cli``.
"""

import asyncio
import contextlib
import json
import logging
import os
import platform
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCHEME: Final = "lambda+dir"
_DEFAULT_HANDLER: Final = "lambda_function.lambda_handler"
"""The handler of a function that was created in the AWS console."""
_EMULATOR: Final = "aws-lambda-rie"
_MACHINES: Final = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_FIND: Final = """
import importlib.util, json, pathlib, awslambdaric
spec = importlib.util.find_spec("samcli")
print(json.dumps(str(pathlib.Path(spec.origin).parent) if spec else None))
"""
_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.02
_STANDARD_ERROR: Final = 2

_log: Final = logging.getLogger(__name__)


class FunctionProcessError(ValueError):
    """A folder cannot be run as a function."""


@dataclass(frozen=True, slots=True)
class FunctionFolder:
    """``handler`` is ``MODULE.FUNCTION`` in ``path``."""

    path: Path
    handler: str


def parse_folder(url: str) -> FunctionFolder | None:
    """The folder in ``lambda+dir:PATH`` or ``lambda+dir:PATH#MODULE.FUNCTION``; None for any other
    URL. Raises FunctionProcessError if the handler's file does not exist."""
    scheme, _, rest = url.partition(":")
    if scheme != SCHEME:
        return None
    name, _, handler = rest.partition("#")
    handler = handler or _DEFAULT_HANDLER
    path = Path(name)
    module, dot, _ = handler.rpartition(".")
    file = path / f"{module.replace('.', '/')}.py"
    if not name or not dot or not file.is_file():
        raise FunctionProcessError(
            f"{url!r}: there is no file {file}; write {SCHEME}:PATH#MODULE.FUNCTION"
        )
    return FunctionFolder(path, handler)


class FunctionProcesses:
    """The emulators of a gateway's functions. ``python`` runs the handlers."""

    def __init__(self, python: str = sys.executable) -> None:
        # Absolute, because the emulator starts it in the function's folder.
        self._python = str(Path(python).absolute()) if os.sep in python else python
        self._running: list[asyncio.subprocess.Process] = []

    async def start(self, targets: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        """Starts an emulator for each folder among ``targets`` (URLs by target group). Returns the
        targets with the emulators' URLs in place of the folders.

        Raises FunctionProcessError.
        """
        return {
            group: [await self._url(group, url) for url in urls] for group, urls in targets.items()
        }

    async def close(self) -> None:
        """Ends the emulators and their functions."""
        for process in self._running:
            _signal(process, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                for process in self._running:
                    await process.wait()
        for process in self._running:
            _signal(process, signal.SIGKILL)
            await process.wait()
        self._running.clear()

    async def _url(self, group: str, url: str) -> str:
        folder = parse_folder(url)
        if folder is None:
            return url
        emulator = await _find_emulator(self._python)
        port, api_port = _free_ports()
        process = await asyncio.create_subprocess_exec(
            *(emulator, "--log-level", "error"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{api_port}"),
            *(self._python, "-m", "awslambdaric", folder.handler),
            cwd=folder.path,
            env={**os.environ, "AWS_LAMBDA_FUNCTION_NAME": group},
            stdin=asyncio.subprocess.DEVNULL,
            # Standard output may be the access log.
            stdout=_STANDARD_ERROR,
            # A group of its own, so that the function, a child of the emulator, is ended with it.
            start_new_session=True,
        )
        self._running.append(process)
        await _until_it_listens(process, port, url)
        _log.info("%s: %s in %s, at port %d", group, folder.handler, folder.path, port)
        return f"lambda+http://127.0.0.1:{port}"


async def _find_emulator(python: str) -> str:
    """The path of the emulator. Raises FunctionProcessError if it or the client is missing."""
    process = await asyncio.create_subprocess_exec(
        *(python, "-c", _FIND),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise FunctionProcessError(
            f"{python} has no awslambdaric, which runs a function: install it, or name a Python "
            "that has it with --lambda-python"
        )
    found = shutil.which(_EMULATOR)
    package = json.loads(output)
    if found is None and package is not None:
        machine = _MACHINES.get(platform.machine(), platform.machine())
        file = Path(package) / "local" / "rapid" / f"{_EMULATOR}-{machine}"
        found = str(file) if file.is_file() else None
    if found is None:
        raise FunctionProcessError(
            f"there is no {_EMULATOR} on the PATH, nor aws-sam-cli, which contains it, for {python}"
        )
    return found


async def _until_it_listens(process: asyncio.subprocess.Process, port: int, url: str) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_START_SECONDS):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(_POLL_SECONDS)
                    continue
                writer.close()
                return
    raise FunctionProcessError(f"{url!r}: the emulator did not start")


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Sends a signal to the emulator's process group, which may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _free_ports() -> tuple[int, int]:
    """Two ports of 127.0.0.1 that nobody listens on."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
