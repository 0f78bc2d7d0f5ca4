"""Following what threads tells of removed threads."""

import asyncio
from typing import cast

from kernel.contracts import Removals, Threads
from kernel.errors import Unavailable
from kernel.process.background import running
from services.posts.removals import RemovalFollower
from tests.eventually import eventually


class FakeStore:
    def __init__(self) -> None:
        self.position = 0
        self.removed: list[int] = []

    async def removal_position(self) -> int:
        return self.position

    async def apply_removals(self, removals: Removals) -> None:
        self.removed += removals.threads
        self.position = removals.position


class FakeThreads:
    """Answers at once, whatever the patience, as a service does that is stopping."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False
        self.removals: list[int] = []

    async def removed(self, after: int, _patience: float) -> Removals:
        self.asked += 1
        if self.down:
            raise Unavailable("Down.")
        return Removals(self.removals[after:][:2], min(after + 2, len(self.removals)))


def _follower(store: FakeStore, threads: FakeThreads) -> RemovalFollower:
    return RemovalFollower(store, cast(Threads, threads))


async def test_removals_are_taken_over_to_the_last_one() -> None:
    store, threads = FakeStore(), FakeThreads()
    threads.removals = [5, 3, 9, 4, 1]
    async with running(_follower(store, threads).run()):

        async def taken() -> bool:
            return store.removed == [5, 3, 9, 4, 1]

        await eventually(taken)
    assert store.position == 5


async def test_a_threads_service_that_does_not_let_wait_is_not_asked_without_pause() -> None:
    store, threads = FakeStore(), FakeThreads()
    async with running(_follower(store, threads).run()):
        await asyncio.sleep(0.5)
    assert 1 <= threads.asked <= 5


async def test_an_outage_of_threads_loses_nothing() -> None:
    store, threads = FakeStore(), FakeThreads()
    threads.down = True
    async with running(_follower(store, threads).run()):

        async def asked() -> bool:
            return threads.asked > 0

        await eventually(asked)
        threads.removals = [8]
        threads.down = False

        async def taken() -> bool:
            return store.removed == [8]

        await eventually(taken)
