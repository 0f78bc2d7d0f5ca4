"""Fixtures: a folder that the server's user may enter, a PostgreSQL, and whether a process runs."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from laptop.postgres.server import PostgresServer
from laptop.postgres.throwaway import throwaway
from tests import data_folders


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that another user can traverse, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="board-test-", dir=data_folders.parent()))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A running PostgreSQL, shared by tests, which must not stop it."""
    with throwaway(data_folders.parent()) as running:
        yield running


@pytest.fixture(scope="session")
def is_running() -> Callable[[int], bool]:
    """A function that returns whether a process with this id exists and is not a zombie."""

    def ask(process: int) -> bool:
        try:
            os.kill(process, 0)
            status = Path(f"/proc/{process}/stat")
            # The state follows the name, which is in parentheses and may contain anything.
            return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
        except (ProcessLookupError, FileNotFoundError):
            return False

    return ask
