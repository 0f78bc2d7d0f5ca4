"""The board in each deployment: every test that asks for `board` is run on several of them."""

import json
import os
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from tests.deployments import Board, Run, processes, running
from tests.people import Person, joining, moderating, visiting


@pytest.fixture(scope="session")
def monolith_run() -> Iterator[Run]:
    """The monolith as `make run DEPLOYMENT=monolith` starts it."""
    with processes("monolith") as run:
        yield run


@pytest.fixture(scope="session")
def services_run() -> Iterator[Run]:
    """The services as `make run` starts them."""
    with processes("microservices") as run:
        yield run


IN_LOOP = ("monolith", "services")
AS_PROCESSES = ("monolith_run", "services_run")
UNDER_TEST = "BOARD_UNDER_TEST"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    config.addinivalue_line("markers", "last: looks back on all tests that came before")
    config.addinivalue_line(
        "markers", "in_loop: rules of the application alone: real processes would add nothing"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back on all other tests comes last. Where a board is given, what is not about it,
    or would look into its processes, is left out."""
    if UNDER_TEST in os.environ:
        items[:] = [item for item in items if _is_about_a_given_board(item)]
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def _is_about_a_given_board(item: pytest.Item) -> bool:
    needs = set(getattr(item, "fixturenames", ()))
    return "board" in needs and not needs & {"databases", "effort"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for the board on all deployments, or those in this event loop."""
    if "board" in metafunc.fixturenames:
        alone = metafunc.definition.get_closest_marker("in_loop") is not None
        deployments: tuple[str, ...] = IN_LOOP if alone else IN_LOOP + AS_PROCESSES
        if UNDER_TEST in os.environ:
            deployments = ("under_test",)
        metafunc.parametrize("board", deployments, indirect=True, scope="session")


@pytest.fixture(scope="session")
def under_test() -> Board:
    """A board that runs already, which BOARD_UNDER_TEST describes: it takes the others' place."""
    return running(json.loads(os.environ[UNDER_TEST]))


@pytest.fixture(scope="session")
def board(request: pytest.FixtureRequest) -> Board:
    """The board, in each deployment in turn."""
    found: Board | Run = request.getfixturevalue(request.param)
    return found.board if isinstance(found, Run) else found


@pytest_asyncio.fixture
async def visitor(board: Board) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is signed in as nobody."""
    async with visiting(board) as http:
        yield http


@pytest_asyncio.fixture(scope="session")
async def person(board: Board) -> AsyncIterator[Person]:
    """Somebody who is signed in: one for all tests on a board, so none may sign them out."""
    async with joining(board) as someone:
        yield someone


@pytest_asyncio.fixture(scope="session")
async def other(board: Board) -> AsyncIterator[Person]:
    """Somebody else who is signed in, likewise."""
    async with joining(board) as someone:
        yield someone


@pytest_asyncio.fixture(scope="session")
async def moderator(board: Board) -> AsyncIterator[Person]:
    """Somebody who moderates, likewise."""
    async with moderating(board) as someone:
        yield someone


@pytest_asyncio.fixture
async def newcomer(board: Board) -> AsyncIterator[Person]:
    """Somebody who has just joined, and whom nobody else knows."""
    async with joining(board) as someone:
        yield someone
