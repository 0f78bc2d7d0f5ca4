"""The stores on PostgreSQL; tests pass the time in."""

from collections.abc import AsyncIterator

import pytest_asyncio

from kernel.data.database import Database
from tests.databases import Databases


@pytest_asyncio.fixture(scope="session")
async def users_database(databases: Databases) -> AsyncIterator[Database]:
    """The database of users."""
    async with Database.open(databases.urls["users"]) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session")
async def threads_database(databases: Databases) -> AsyncIterator[Database]:
    """The database of threads."""
    async with Database.open(databases.urls["threads"]) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session")
async def posts_database(databases: Databases) -> AsyncIterator[Database]:
    """The database of posts."""
    async with Database.open(databases.urls["posts"]) as opened:
        yield opened
