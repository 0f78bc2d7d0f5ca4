"""Every removal of a thread reaches all followers, even if it is committed late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kernel.contracts import Removals
from kernel.data.database import Connection, Database
from kernel.data.idempotency import IdempotentWrite
from kernel.errors import Policy
from kernel.search.dictionary import Dictionary
from services.posts.store import PostStore
from services.posts.stores.lists import AS_JSON, AS_POSTS, PostLists
from services.posts.stores.removals import RemovalStore
from services.threads.store import ThreadStore
from tests.databases import Databases
from tests.eventually import eventually
from tests.own_databases import new_database
from tests.unit.fakes import NOON

NO_LIMIT = Policy("thread", 1, 0)


class SlowToCommit(Database):
    """A database whose transactions wait before they commit."""

    def __init__(self, database: Database) -> None:
        super().__init__(database._pool, 5, database._detector)
        self.written, self.commit = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with super().transaction() as connection:
            yield connection
            self.written.set()
            await self.commit.wait()


async def test_removal_that_commits_late_is_not_missed(databases: Databases) -> None:
    async with Database.open(await new_database(databases, "threads")) as database:
        store = ThreadStore(database, Dictionary())
        first, second = [
            await store.add("Bread", 1, NOON, NO_LIMIT, IdempotentWrite.without_key())
            for _ in range(2)
        ]
        slow = SlowToCommit(database)
        late = asyncio.create_task(
            ThreadStore(slow, Dictionary()).remove(first.id, NOON, lambda _: None)
        )
        await slow.written.wait()
        prompt = asyncio.create_task(store.remove(second.id, NOON, lambda _: None))

        async def decided() -> bool:
            waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND "
            blocked = await database.row(waiting + "wait_event_type = 'Lock'")
            return prompt.done() or blocked is not None

        await eventually(decided)
        before = await store.removed(0)
        slow.commit.set()
        assert await late
        assert await prompt
        after = await store.removed(before.position)
        assert {*before.threads, *after.threads} == {first.id, second.id}
        assert [(await store.removed(n)).threads for n in (0, after.position)] == [
            [first.id, second.id], []
        ]  # fmt: skip


async def test_slow_follower_does_not_move_the_position_back(databases: Databases) -> None:
    async with Database.open(await new_database(databases, "posts")) as database:
        store = RemovalStore(database)
        await store.apply_removals(Removals([5, 6], 2))
        await store.apply_removals(Removals([5], 1))
        assert await store.removal_position() == 2
        await store.apply_removals(Removals([7], 3))
        assert await store.removal_position() == 3


async def test_posts_of_a_removed_thread_are_in_no_list(databases: Databases) -> None:
    async with Database.open(await new_database(databases, "posts")) as database:
        await RemovalStore(database).apply_removals(Removals([5], 1))
        await database.row(
            """
            INSERT INTO posts (thread, author, by_starter, text, html, created_at)
            VALUES (5, 1, true, 'Hello', '<p>Hello</p>', $1)
            """,
            NOON,
        )
        assert await PostStore(database, Dictionary()).find(1) is None
        for lists in (PostLists(database, AS_POSTS), PostLists(database, AS_JSON)):
            for page in (
                await lists.newest(9, None), await lists.by_user(1, 9, None),
                await lists.in_thread(5, 9, None),
            ):  # fmt: skip
                assert list(page.items) == []
            assert await lists.newest_in_thread(5, 9) == []
