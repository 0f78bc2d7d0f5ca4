"""What the gateway's tests share."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.unit.gateway.browser import Front
from tests.unit.gateway.certificates import SelfSigned, make
from tests.unit.gateway.support import Bench, bench_of_one_test


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    async with bench_of_one_test() as made:
        yield made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    return make(tmp_path_factory.mktemp("certificate"))


@pytest_asyncio.fixture
async def front(bench: Bench, certificate: SelfSigned) -> AsyncIterator[Front]:
    made = Front(bench, certificate)
    yield made
    made.close()
