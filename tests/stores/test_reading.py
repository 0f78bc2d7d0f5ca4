"""Read positions of one user are bounded, and what was read stays read."""

import asyncio
from collections.abc import Sequence

from kernel.data.database import Database
from kernel.errors import Policy
from services.posts.model import MOST_UNREAD, ReadPosition
from services.posts.stores.reading import MOST_POSITIONS, ReadingStore
from tests.databases import Databases
from tests.own_databases import new_database
from tests.unit.fakes import NOON

NO_LIMIT = Policy("reading", 0, 60)
READER = 7


async def fill(database: Database, threads: int) -> Sequence[ReadPosition]:
    """A post in each of some threads, which the reader has not written."""
    rows = await database.rows(
        """
        INSERT INTO posts (thread, author, by_starter, text, html, created_at)
        SELECT n, 1, true, 'a', 'a', now() FROM generate_series(1, $1::integer) AS n
        RETURNING thread, id
        """,
        threads,
    )
    return [ReadPosition(*row) for row in rows]


async def test_positions_of_one_user_are_bounded(databases: Databases) -> None:
    async with Database.open(await new_database(databases, "posts")) as database:
        store = ReadingStore(database)
        await store.record(READER, [], NOON, NO_LIMIT)
        posts = await fill(database, MOST_POSITIONS + 50)
        await store.record(READER, posts[30:], NOON, NO_LIMIT)
        stored = await store.positions(READER)
        assert stored.positions == posts[50:]
        assert stored.read_up_to == posts[49].post
        threads = [position.thread for position in posts]
        assert [each.count for each in await store.unread(READER, threads)] == [0] * len(posts)


async def test_concurrent_devices_merge_by_maximum(databases: Databases) -> None:
    async with Database.open(await new_database(databases, "posts")) as database:
        store = ReadingStore(database)
        first, second = await fill(database, 20), await fill(database, 20)
        devices = [
            store.record(READER, sorted(positions, reverse=turned), NOON, NO_LIMIT)
            for positions in (first, second)
            for turned in (False, True)
        ]
        await asyncio.gather(*devices)
        await store.record(READER, second, NOON, NO_LIMIT)
        await store.record(READER, first, NOON, NO_LIMIT)
        stored = await store.positions(READER)
        unread = await store.unread(READER, [position.thread for position in first])
        assert [each.count for each in unread] == [0] * 20
        assert {*stored.positions} <= {*second}


async def test_positions_from_before_the_reader_began_count(databases: Databases) -> None:
    async with Database.open(await new_database(databases, "posts")) as database:
        store = ReadingStore(database)
        first, second = await fill(database, 2), await fill(database, 2)
        await store.record(READER, first[:1], NOON, NO_LIMIT)
        unread = await store.unread(READER, [1, 2])
        assert [(each.count, each.first) for each in unread] == [(1, second[0].post), (0, None)]


async def test_unread_posts_are_counted_up_to_a_hundred(databases: Databases) -> None:
    async with Database.open(await new_database(databases, "posts")) as database:
        store = ReadingStore(database)
        await store.record(READER, [], NOON, NO_LIMIT)
        first = await fill(database, 1)
        for _ in range(MOST_UNREAD + 5):
            await fill(database, 1)
        (unread,) = await store.unread(READER, [1])
        assert (unread.count, unread.first) == (MOST_UNREAD, first[0].post)
