"""Finds the running board of a data folder, and sends it commands: without starting anything."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from laptop import json_socket
from laptop.postgres import socket_folder

CONTROL: Final = "control"
"""The folder in the data folder with the sockets of a run."""
RUN_SOCKET: Final = "run"
GATEWAY_SOCKET: Final = "gateway"
RULES_FILE: Final = "rules.json"
"""The file beside the sockets with the gateway's rules, for the processes that serve the page."""

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


def find(data_folder: Path) -> RunningBoard | None:
    """The running board of a data folder, or None if none runs."""
    folder = socket_folder.find(data_folder, CONTROL)
    if folder is None:
        return None
    path = folder / RUN_SOCKET
    return RunningBoard(path) if json_socket.listens(path) else None
