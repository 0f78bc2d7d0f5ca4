"""One emulator for the tests of a file, and databases of cases."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from kernel.data.database import Database
from tests.databases import Databases
from tests.engines.ledger import TABLES
from tests.own_databases import new_database
from tests.step_functions.emulator import Emulator, emulator


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A running emulator."""
    with emulator(tmp_path_factory.mktemp("emulator")) as found:
        yield found


@pytest_asyncio.fixture
async def cases_database(databases: Databases) -> AsyncIterator[Database]:
    """An empty database of cases, with the tables of the ledger."""
    url = await new_database(databases, "cases")
    async with Database.open(url) as database:
        async with database.connection() as connection:
            await connection.execute(TABLES)
        yield database
