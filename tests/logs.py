"""What the processes of a board log, wherever they run."""

import logging
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.observe.access_log import AccessLog, short_line


@dataclass(frozen=True)
class Logs:
    """`read` returns all that was logged so far. Each request has `lines` lines in it at least: the
    application's, and the gateway's where that is logged, too."""

    read: Callable[[], str]
    lines: int = 2


class LogOfThisProcess:
    """A file with everything that is logged in this process, and the access logs of gateways."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._gateways: list[AccessLog] = []
        self.logs = Logs(self._read)

    def access_log(self) -> AccessLog:
        """The access log for a gateway in this process."""
        made = AccessLog(short_line, self)
        self._gateways.append(made)
        return made

    def write(self, data: bytes) -> None:
        """Append lines of an access log."""
        with self._path.open("ab") as file:
            file.write(data)

    def _read(self) -> str:
        for gateway in self._gateways:
            gateway.flush()
        return self._path.read_text(encoding="utf-8")


@contextmanager
def logging_to(path: Path) -> Iterator[LogOfThisProcess]:
    """Write what this process logs to a file until the block ends, from `INFO` on."""
    handler = logging.FileHandler(path, encoding="utf-8")
    board = logging.getLogger("board")
    before = board.level
    board.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    try:
        yield LogOfThisProcess(path)
    finally:
        logging.getLogger().removeHandler(handler)
        board.setLevel(before)
        handler.close()


def of_file(path: Path) -> Logs:
    """The log that the processes of `make run` write together."""
    return Logs(lambda: path.read_text(encoding="utf-8"))


def of_commands(
    commands: Sequence[Sequence[str]], lines: int, environment: Mapping[str, str]
) -> Logs:
    """The logs that some commands print."""

    def read() -> str:
        return "".join(
            subprocess.run(
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=60,
                check=True,
            ).stdout
            for command in commands
        )

    return Logs(read, lines)
