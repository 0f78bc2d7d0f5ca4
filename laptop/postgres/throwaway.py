"""A PostgreSQL server whose data does not outlive it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from laptop import credentials
from laptop.postgres import socket_folder
from laptop.postgres.server import PostgresServer


@contextmanager
def throwaway(parent: str | None = None) -> Iterator[PostgresServer]:
    """A started server for tests and benchmarks: not durable; its folder is removed at the end.

    The folder is made in `parent`, by default in the system's folder for temporary files.
    """
    # If the temporary folder's path is too long for a socket, use /tmp: otherwise the socket would
    # get a folder of its own, outside the one that is removed.
    parent = parent or tempfile.gettempdir()
    short = socket_folder.fits(Path(parent) / "board-12345678" / "socket")
    with tempfile.TemporaryDirectory(prefix="board-", dir=parent if short else "/tmp") as name:  # noqa: S108 - creates a private folder in it
        folder = Path(name)
        if os.geteuid() == 0:
            folder.chmod(0o711)
        password = credentials.load_or_create(folder).admin_password
        with PostgresServer(folder, admin_password=password, durable=False) as server:
            yield server
