"""How long an `Idempotency-Key` is stored, with a clock that tests set."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from kernel.data.database import Database
from kernel.data.idempotency import LIFETIME, IdempotentRequest, ReplayableResponse, Replayed
from kernel.errors import Policy
from kernel.search.dictionary import Dictionary
from services.threads.model import Thread
from services.threads.store import ThreadStore
from tests.databases import Databases

NOW = datetime(2026, 11, 23, 8, 3, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)
NO_LIMIT = Policy("thread", 1, 0)
USER = 2**40  # no other test uses this user


@pytest_asyncio.fixture(scope="session")
async def database(databases: Databases) -> AsyncIterator[Database]:
    """The database of threads."""
    async with Database.open(databases.urls["threads"]) as opened:
        yield opened


async def _start(database: Database, key: str, now: datetime) -> Thread:
    request = IdempotentRequest(key, "POST", "/api/threads", b"digest")

    def respond(thread: Thread) -> ReplayableResponse:
        return ReplayableResponse(201, {"Location": f"/{thread.id}"}, b"{}")

    write = request.write(respond)
    return await ThreadStore(database, Dictionary()).add("Bread", USER, now, NO_LIMIT, write)


async def test_key_is_stored_for_24_hours(database: Database) -> None:
    key = "kept-for-a-day"
    first = await _start(database, key, NOW)
    with pytest.raises(Replayed) as replayed:
        await _start(database, key, NOW + LIFETIME - MOMENT)
    assert replayed.value.response == ReplayableResponse(201, {"Location": f"/{first.id}"}, b"{}")
    second = await _start(database, key, NOW + LIFETIME)
    assert second.id > first.id
    with pytest.raises(Replayed) as replayed:
        await _start(database, key, NOW + LIFETIME + MOMENT)
    assert replayed.value.response.headers == {"Location": f"/{second.id}"}


async def test_expired_keys_are_deleted(database: Database) -> None:
    for number in range(5):
        await _start(database, f"forgotten-{number}", NOW - 2 * LIFETIME)
    await _start(database, "the next one", NOW)
    kept = await database.rows(
        "SELECT key FROM idempotency_keys WHERE user_id = $1 AND key LIKE 'forgotten-%'", USER
    )
    assert kept == []
