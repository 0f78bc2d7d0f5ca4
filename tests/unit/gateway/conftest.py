"""What the gateway's tests share."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.unit.gateway.support import Bench, bench_of_one_test


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    async with bench_of_one_test() as made:
        yield made
