"""Finds the running board of a data folder, and sends it commands: without starting anything."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from laptop import json_socket
from laptop.postgres import socket_folder

CONTROL: Final = "control"
"""The folder in the data folder with the sockets of a run."""
RUN_SOCKET: Final = "run"
GATEWAY_SOCKET: Final = "gateway"
SHARES_FILE: Final = "shares.json"
"""The file beside the sockets with the current shares, for the processes that serve the page."""

_LONGEST_OPERATION = 300.0


class RunningBoard:
    """The board that `make run` runs in this data folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, command: str, **arguments: object) -> Mapping[str, Any]:
        """Carry out an operation of `laptop.operations`, and return the state after it.

        Raises:
            RefusedOperationError: the board refuses it.
            OSError: the board stopped meanwhile.
        """
        request = {"command": command, **arguments}
        result: Mapping[str, Any] = json_socket.send(
            self._path, request, seconds=_LONGEST_OPERATION
        )
        return result


def write_shares(folder: Path, shares: Mapping[str, int]) -> None:
    """Replace the file with the shares, so that a reader never sees half of it."""
    written = folder / f"{SHARES_FILE}.new"
    written.write_text(json.dumps(dict(shares)), encoding="utf-8")
    written.replace(folder / SHARES_FILE)


def find(data_folder: Path) -> RunningBoard | None:
    """The running board of a data folder, or None if none runs."""
    folder = socket_folder.find(data_folder, CONTROL)
    if folder is None:
        return None
    path = folder / RUN_SOCKET
    return RunningBoard(path) if json_socket.listens(path) else None
