"""The board in each deployment: every test in this folder is run on all of them."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from tests.databases import Databases, prepare, running_server
from tests.deployments import (
    Board,
    behind_gateway,
    monolith_in_loop,
    processes,
    services_in_loop,
)
from tests.people import Person, joining, visiting


@pytest.fixture(scope="session")
def server() -> Iterator[Databases]:
    """One PostgreSQL for the deployments in this process, which share its data."""
    with running_server() as databases:
        yield databases


@pytest_asyncio.fixture(scope="session")
async def databases(server: Databases) -> Databases:
    """The same, with everything migrated."""
    await prepare(server)
    return server


@pytest_asyncio.fixture(scope="session")
async def monolith(databases: Databases) -> AsyncIterator[Board]:
    """The monolith behind the gateway, in this event loop."""
    async with monolith_in_loop(databases.urls) as origins, behind_gateway(origins) as board:
        yield board


@pytest_asyncio.fixture(scope="session")
async def services(databases: Databases) -> AsyncIterator[Board]:
    """The services behind the gateway, in this event loop."""
    async with services_in_loop(databases.urls) as origins, behind_gateway(origins) as board:
        yield board


@pytest.fixture(scope="session")
def monolith_processes() -> Iterator[Board]:
    """The monolith as `make run DEPLOYMENT=monolith` starts it."""
    with processes("monolith") as run:
        yield run.board


@pytest.fixture(scope="session")
def services_processes() -> Iterator[Board]:
    """The services as `make run` starts them."""
    with processes("microservices") as run:
        yield run.board


@pytest.fixture(params=["monolith", "services", "monolith_processes", "services_processes"])
def board(request: pytest.FixtureRequest) -> Board:
    """The board, in each deployment in turn."""
    found: Board = request.getfixturevalue(request.param)
    return found


@pytest_asyncio.fixture
async def visitor(board: Board) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is signed in as nobody."""
    async with visiting(board) as http:
        yield http


@pytest_asyncio.fixture
async def person(board: Board) -> AsyncIterator[Person]:
    """Somebody who is signed in."""
    async with joining(board) as someone:
        yield someone
