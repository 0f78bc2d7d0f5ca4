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
    """One Chromium for all tests; each test opens its own windows."""
    async with chromium() as found:
        yield found


@pytest.fixture(scope="session", params=DEPLOYMENTS)
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """The processes of the board, for each deployment in turn."""
    with processes(request.param) as found:
        yield found


@pytest.fixture(scope="session")
def board(run: Run) -> Board:
    """The board of these processes."""
    return run.board


@pytest_asyncio.fixture
async def visitor(board: Board, browser: Browser) -> AsyncIterator[Visitor]:
    """A visitor who is not signed in."""
    async with visiting(board, browser) as someone:
        yield someone


@pytest_asyncio.fixture
async def other(board: Board, browser: Browser) -> AsyncIterator[Visitor]:
    """Another visitor, in another browser."""
    async with visiting(board, browser) as someone:
        yield someone
