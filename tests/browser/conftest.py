"""A browser, and the board in both deployments, as the processes that `make run` starts."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.chromium import chromium
from tests.browser.visitors import Visitor, visiting
from tests.deployments import Board, Run, processes

DEPLOYMENTS = ("monolith", "microservices")


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests, each of which has windows of its own."""
    async with chromium() as found:
        yield found


@pytest.fixture(scope="session", params=DEPLOYMENTS)
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """The board, in each deployment in turn."""
    with processes(request.param) as found:
        yield found


@pytest.fixture(scope="session")
def board(run: Run) -> Board:
    """Where that board is."""
    return run.board


@pytest_asyncio.fixture
async def visitor(board: Board, browser: Browser) -> AsyncIterator[Visitor]:
    """Somebody who is signed in as nobody."""
    async with visiting(board, browser) as someone:
        yield someone


@pytest_asyncio.fixture
async def other(board: Board, browser: Browser) -> AsyncIterator[Visitor]:
    """Somebody else, in another browser."""
    async with visiting(board, browser) as someone:
        yield someone
