"""Following the removals of threads."""

import asyncio

from kernel.contracts import Removals
from kernel.errors import Unavailable
from kernel.process.background import running
from services.posts.removals import RemovalFollower
from tests.eventually import eventually
from tests.unit.fakes import FakeThreads


class FakeStore:
    def __init__(self) -> None:
        self.position = 0
        self.removed: list[int] = []

    async def removal_position(self) -> int:
        return self.position

    async def apply_removals(self, removals: Removals) -> None:
        self.removed += removals.threads
        self.position = removals.position


class Threads(FakeThreads):
    """Returns two removals at a time, without waiting, as a stopping service does."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    async def removed(self, after: int, patience: float) -> Removals:
        self.calls += 1
        found = (await super().removed(after, patience)).threads[:2]
        return Removals(found, after + len(found))


async def test_all_removals_are_processed() -> None:
    store, threads = FakeStore(), Threads()
    threads.removals = [5, 3, 9, 4, 1]
    async with running(RemovalFollower(store, threads).run()):

        async def taken() -> bool:
            return store.removed == [5, 3, 9, 4, 1]

        await eventually(taken)
    assert store.position == 5


async def test_requests_for_removals_pause_when_threads_does_not_wait() -> None:
    store, threads = FakeStore(), Threads()
    calls_before_each_pause: list[int] = []

    async def sleep(seconds: float) -> None:
        assert seconds > 0
        calls_before_each_pause.append(threads.calls)
        await asyncio.sleep(0)

    async with running(RemovalFollower(store, threads, sleep).run()):

        async def paused_often() -> bool:
            return len(calls_before_each_pause) >= 5

        await eventually(paused_often)
    assert calls_before_each_pause[:5] == [1, 2, 3, 4, 5]


async def test_an_outage_of_threads_loses_nothing() -> None:
    store, threads = FakeStore(), Threads()
    threads.failure = Unavailable("Down.")
    async with running(RemovalFollower(store, threads).run()):

        async def asked() -> bool:
            return threads.calls > 0

        await eventually(asked)
        threads.removals = [8]
        threads.failure = None

        async def taken() -> bool:
            return store.removed == [8]

        await eventually(taken)
