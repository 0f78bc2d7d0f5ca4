"""A database of cases for each test, with the tables of the ledger."""

from collections.abc import AsyncIterator

import pytest_asyncio

from kernel.data.database import Database
from tests.databases import Databases
from tests.engines.ledger import TABLES
from tests.own_databases import new_database


@pytest_asyncio.fixture
async def cases_url(databases: Databases) -> str:
    """The URL of an empty database."""
    url = await new_database(databases, "cases")
    async with Database.open(url) as database, database.connection() as connection:
        await connection.execute(TABLES)
    return url


@pytest_asyncio.fixture
async def cases_database(cases_url: str) -> AsyncIterator[Database]:
    """The same database, open."""
    async with Database.open(cases_url) as database:
        yield database
