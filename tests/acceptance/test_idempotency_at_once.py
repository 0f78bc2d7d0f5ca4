"""`Idempotency-Key` while the first attempt is still running, or after it died."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

from tests.deployments import Board
from tests.eventually import eventually
from tests.people import Person
from tests.problems import slug
from tests.replays import is_replay, posts_in, send


async def test_fifty_concurrent_requests_with_one_key_store_one_post(person: Person) -> None:
    thread, key = (await person.start_thread())["id"], secrets.token_hex()[:64]
    body = {"thread": thread, "text": "Fifty times"}
    answers = await asyncio.gather(*(send(person.http, "/api/posts", body, key) for _ in range(50)))
    [post] = await posts_in(person, thread)
    seen = Counter((a.status_code, a.headers.get("idempotency-replayed")) for a in answers)
    assert seen[(201, None)] == 1
    assert set(seen) <= {(201, None), (201, "true"), (409, None)}
    assert {a.json()["id"] for a in answers if a.status_code == 201} == {post}


async def test_request_with_a_key_in_progress_returns_409(board: Board, person: Person) -> None:
    thread, key = (await person.start_thread())["id"], secrets.token_hex(8)
    await person.write(thread)
    body = {"thread": thread, "text": "Held up"}
    async with _holding(board, thread) as blocker:
        first = asyncio.create_task(send(person.http, "/api/posts", body, key))
        await _process_waiting_for(blocker)
        second = await send(person.http, "/api/posts", body, key)
        assert (second.status_code, slug(second)) == (409, "conflict")
        assert not first.done()
    written = await first
    assert is_replay(await send(person.http, "/api/posts", body, key), written)
    assert len(await posts_in(person, thread)) == 2


async def test_attempt_that_died_before_its_commit_leaves_nothing(
    board: Board, person: Person
) -> None:
    thread, key = (await person.start_thread())["id"], secrets.token_hex(8)
    await person.write(thread)
    body = {"thread": thread, "text": "Cut off half way"}
    async with _holding(board, thread) as blocker:
        first = asyncio.create_task(send(person.http, "/api/posts", body, key))
        assert await blocker.fetchval(
            "SELECT pg_terminate_backend($1)", await _process_waiting_for(blocker)
        )
        assert (await first).status_code == 503
    retried = await send(person.http, "/api/posts", body, key)
    assert (retried.status_code, "idempotency-replayed" in retried.headers) == (201, False)
    assert is_replay(await send(person.http, "/api/posts", body, key), retried)
    assert len(await posts_in(person, thread)) == 2


Blocker: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@asynccontextmanager
async def _holding(board: Board, thread: int) -> AsyncIterator[Blocker]:
    """Lock the thread's activity, so that every new post in it waits until the block ends."""
    connection = await asyncpg.connect(board.databases["posts"])
    try:

        async def delivered() -> bool:
            # Wait for earlier deliveries: otherwise they would wait for the lock, too.
            told: bool = await connection.fetchval(
                "SELECT delivered = version FROM thread_activity WHERE thread = $1", thread
            )
            return told

        await eventually(delivered)
        async with connection.transaction():
            await connection.execute(
                "SELECT FROM thread_activity WHERE thread = $1 FOR UPDATE", thread
            )
            yield connection
    finally:
        await connection.close()


async def _process_waiting_for(blocker: Blocker) -> int:
    """The id of the PostgreSQL process that waits for a lock of this connection."""

    async def waiting() -> int | None:
        found: int | None = await blocker.fetchval(
            """
            SELECT pid FROM pg_stat_activity
            WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)) LIMIT 1
            """
        )
        return found

    return await eventually(waiting, what="a wait for the lock")
