"""Fixtures: a board with real processes, on which short plays are played one after another."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from strangle.board import PlayedBoard, running_monolith


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """An empty folder that the user whom PostgreSQL runs as can enter."""
    with tempfile.TemporaryDirectory(prefix="board-play-", dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


@pytest.fixture(scope="session")
async def board(folder: Path) -> AsyncIterator[PlayedBoard]:
    """The monolith, which plays extend."""
    async with running_monolith(folder / "data", 0) as running:
        yield running
