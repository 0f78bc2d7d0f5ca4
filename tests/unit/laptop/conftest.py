"""Folders that a server's user may enter, one PostgreSQL for the tests, and waiting with an end."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from laptop.postgres.server import PostgresServer
from laptop.postgres.throwaway import throwaway


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that another user can pass through, which pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="board-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A running PostgreSQL that no test may stop."""
    with throwaway() as running:
        yield running


@pytest.fixture(scope="session")
def is_running() -> Callable[[int], bool]:
    """Whether a process of that number exists and is no zombie."""

    def ask(process: int) -> bool:
        try:
            os.kill(process, 0)
            status = Path(f"/proc/{process}/stat")
            # The state follows the name, which is in parentheses and may contain anything.
            return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
        except (ProcessLookupError, FileNotFoundError):
            return False

    return ask
