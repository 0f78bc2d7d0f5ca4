"""Fixtures: a board with real processes, on which short plays are played one after another."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from strangle.board import PlayedBoard, running_board
from strangle.load.client import Client
from tests import data_folders
from tests.eventually import eventually


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """An empty folder that the user whom PostgreSQL runs as can enter."""
    with tempfile.TemporaryDirectory(prefix="board-play-", dir=data_folders.parent()) as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


@pytest.fixture(scope="session")
async def started(folder: Path) -> AsyncIterator[PlayedBoard]:
    """The monolith, which plays extend."""
    async with running_board(folder / "data", 0) as running:
        yield running


@pytest.fixture
async def board(started: PlayedBoard) -> PlayedBoard:
    """The board, which answers again, whatever an earlier play did to it."""
    client = Client(started.port)

    async def answers() -> bool:
        return (await client.send("GET", "/api/threads")).status == 200

    await eventually(answers, within=30, what="the monolith answers")
    client.close()
    return started
