"""Activity is delivered again until its delivery is confirmed."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from kernel.contracts import Activity, Removals, ThreadRef
from kernel.errors import Unavailable
from kernel.process.background import running
from services.posts.delivery import ActivityDelivery
from tests.eventually import eventually

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Backlog:
    """Threads whose activity waits."""

    def __init__(self, threads: int) -> None:
        self.waiting = {thread: Activity(thread, 1, 1, 0, NOON) for thread in range(1, threads + 1)}

    async def undelivered(self, limit: int) -> Sequence[Activity]:
        return list(self.waiting.values())[:limit]

    async def mark_delivered(self, activities: Sequence[Activity]) -> None:
        for activity in activities:
            if self.waiting.get(activity.thread) == activity:
                del self.waiting[activity.thread]


class Threads:
    """`kernel.contracts.Threads` that fails a given number of times."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.told: list[Activity] = []

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.told += activities

    async def find(self, thread: int) -> ThreadRef:
        raise AssertionError(f"nobody asks for {thread}")

    async def removed(self, after: int, patience: float) -> Removals:
        raise AssertionError(f"nobody asks for {after}, {patience}")


async def test_pending_activity_is_delivered_completely_and_once() -> None:
    backlog, threads = Backlog(250), Threads()
    delivery = ActivityDelivery(backlog, threads)
    while await delivery.deliver():
        pass
    assert [activity.thread for activity in threads.told] == list(range(1, 251))
    assert not backlog.waiting


async def test_unacknowledged_activity_stays_pending() -> None:
    backlog = Backlog(1)
    with pytest.raises(Unavailable):
        await ActivityDelivery(backlog, Threads(Unavailable("down"))).deliver()
    assert list(backlog.waiting) == [1]


async def test_activity_that_changes_during_delivery_is_delivered_again() -> None:
    backlog = Backlog(1)

    class Slow(Threads):
        async def record_activity(self, activities: Sequence[Activity]) -> None:
            await super().record_activity(activities)
            backlog.waiting.setdefault(1, Activity(1, 2, 2, 0, NOON))
            if len(self.told) == 1:
                backlog.waiting[1] = Activity(1, 2, 2, 0, NOON)

    threads = Slow()
    delivery = ActivityDelivery(backlog, threads)
    await delivery.deliver()
    await delivery.deliver()
    assert [activity.version for activity in threads.told] == [1, 2]
    assert not backlog.waiting


@pytest.mark.parametrize("failure", [Unavailable("down"), RuntimeError("a defect")])
async def test_delivery_continues_after_any_failure(failure: Exception) -> None:
    backlog, threads = Backlog(1), Threads(failure, failure)
    async with running(ActivityDelivery(backlog, threads, interval=0.01).run()):

        async def delivered() -> bool:
            return not backlog.waiting

        await eventually(delivered)
    assert [activity.thread for activity in threads.told] == [1]


async def test_written_post_is_delivered_at_once() -> None:
    backlog, threads = Backlog(0), Threads()
    delivery = ActivityDelivery(backlog, threads, interval=3600)
    async with running(delivery.run()):
        await asyncio.sleep(0)
        backlog.waiting[7] = Activity(7, 1, 1, 0, NOON)
        delivery.wake()

        async def told() -> bool:
            return [activity.thread for activity in threads.told] == [7]

        await eventually(told)


async def test_activity_of_posts_in_quick_succession_is_delivered_together() -> None:
    backlog, threads = Backlog(1), Threads()
    pauses: list[float] = []
    more = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await more.wait()

    delivery = ActivityDelivery(backlog, threads, interval=3600, sleep=sleep)
    async with running(delivery.run()):

        async def paused() -> bool:
            return bool(pauses)

        await eventually(paused)
        for version in (2, 3, 4):
            backlog.waiting[1] = Activity(1, version, version, 0, NOON)
            delivery.wake()
        more.set()

        async def delivered() -> bool:
            return not backlog.waiting

        await eventually(delivered)
    assert [activity.version for activity in threads.told] == [1, 4]
    assert 0 < pauses[0] < 1


async def test_activity_left_by_another_process_is_delivered() -> None:
    backlog, threads = Backlog(0), Threads()
    async with running(ActivityDelivery(backlog, threads, interval=0.01).run()):
        await asyncio.sleep(0)
        backlog.waiting[7] = Activity(7, 1, 1, 0, NOON)

        async def told() -> bool:
            return bool(threads.told)

        await eventually(told)


async def test_lag_counts_from_the_first_failed_delivery_until_the_next_success() -> None:
    now = 100.0
    backlog, threads = Backlog(1), Threads(Unavailable("down"), RuntimeError("a defect"))
    delivery = ActivityDelivery(backlog, threads, 0.01, lambda: now)
    lags: list[float] = []

    async def record_activity(activities: Sequence[Activity]) -> None:
        nonlocal now
        lags.append(delivery.lag())
        now += 5
        await Threads.record_activity(threads, activities)

    threads.record_activity = record_activity  # type: ignore[method-assign] # a fake of this test
    async with running(delivery.run()):

        async def delivered() -> bool:
            return not backlog.waiting and delivery.lag() == 0

        await eventually(delivered)
    assert lags == [0, 5, 10]
