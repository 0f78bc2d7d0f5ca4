"""What tests of several folders stand on: one PostgreSQL, and both deployments on its data."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.databases import Databases, prepare, running_server
from tests.deployments import Board, behind_gateway, monolith_in_loop, services_in_loop


@pytest.fixture(scope="session")
def database_server() -> Iterator[Databases]:
    """One PostgreSQL for the deployments in this process, which share its data."""
    with running_server() as databases:
        yield databases


@pytest_asyncio.fixture(scope="session")
async def databases(database_server: Databases) -> Databases:
    """The same, with everything migrated."""
    await prepare(database_server)
    return database_server


@pytest_asyncio.fixture(scope="session")
async def monolith(databases: Databases) -> AsyncIterator[Board]:
    """The monolith behind the gateway, in this event loop."""
    urls = databases.urls
    async with monolith_in_loop(urls) as origins, behind_gateway(origins, urls) as board:
        yield board


@pytest_asyncio.fixture(scope="session")
async def services(databases: Databases) -> AsyncIterator[Board]:
    """The services behind the gateway, in this event loop."""
    urls = databases.urls
    async with services_in_loop(urls) as origins, behind_gateway(origins, urls) as board:
        yield board
