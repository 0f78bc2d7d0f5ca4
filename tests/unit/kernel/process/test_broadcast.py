"""Waking everything that waits, without losing a notification in between."""

import asyncio

import pytest

from kernel.process.broadcast import Broadcast

FOR_EVER = 3600.0


async def test_notification_wakes_every_waiter() -> None:
    broadcast = Broadcast()
    waiting = [asyncio.create_task(broadcast.waiter().wait(FOR_EVER)) for _ in range(3)]
    await asyncio.sleep(0)
    broadcast.notify("the payload is ignored")
    async with asyncio.timeout(20):
        await asyncio.gather(*waiting)


async def test_notification_after_the_waiter_was_taken_is_not_lost() -> None:
    broadcast = Broadcast()
    waiter = broadcast.waiter()
    broadcast.notify()
    async with asyncio.timeout(20):
        await waiter.wait(FOR_EVER)


async def test_notification_before_the_waiter_was_taken_does_not_wake_it() -> None:
    broadcast = Broadcast()
    broadcast.notify()
    waiting = asyncio.create_task(broadcast.waiter().wait(FOR_EVER))
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    broadcast.notify()
    async with asyncio.timeout(20):
        await waiting


async def test_wait_ends_after_its_seconds() -> None:
    async with asyncio.timeout(20):
        await Broadcast().waiter().wait(0.01)


async def test_closed_broadcast_lets_no_one_wait() -> None:
    broadcast = Broadcast()
    waiting = asyncio.create_task(broadcast.waiter().wait(FOR_EVER))
    await asyncio.sleep(0)
    broadcast.close()
    async with asyncio.timeout(20):
        await waiting
    broadcast.notify()
    async with asyncio.timeout(20):
        await broadcast.waiter().wait(FOR_EVER)


@pytest.mark.parametrize("steps", range(4))
async def test_task_does_not_go_on_after_it_was_cancelled_as_it_was_notified(steps: int) -> None:
    broadcast = Broadcast()
    woken = asyncio.Event()

    async def work() -> None:
        await broadcast.waiter().wait(FOR_EVER)
        woken.set()

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    broadcast.notify()
    for _ in range(steps):
        await asyncio.sleep(0)
    before = woken.is_set()
    working.cancel()
    await asyncio.wait([working])
    assert woken.is_set() == before
    assert working.cancelled() != before
