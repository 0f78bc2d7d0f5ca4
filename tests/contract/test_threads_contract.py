"""`kernel.contracts.Threads`: the same answers and failures in process and over HTTP."""

import asyncio
from datetime import UTC, datetime

import pytest

from kernel.contracts import Activity
from kernel.data.database import LARGEST_ID
from kernel.errors import NotFound
from tests.contract.conftest import FORMS, ThreadsContract

pytestmark = pytest.mark.parametrize("form", FORMS)

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
ONE = datetime(2030, 1, 1, 13, tzinfo=UTC)


async def test_a_thread_is_found(threads: ThreadsContract, form: str) -> None:
    thread = await threads.thread()
    found = await threads.forms[form].find(thread)
    shown = await threads.service.show(thread)
    assert (found.id, found.created_by, found.locked) == (thread, shown.created_by, False)


@pytest.mark.parametrize("thread", [LARGEST_ID, LARGEST_ID - 1])
async def test_missing_thread_is_not_found(
    threads: ThreadsContract, form: str, thread: int
) -> None:
    with pytest.raises(NotFound) as failure:
        await threads.forms[form].find(thread)
    assert failure.value.detail == "There is no such thread."


async def test_a_removed_thread_is_not_found(threads: ThreadsContract, form: str) -> None:
    thread = await threads.thread()
    await threads.service.remove(threads.token, thread)
    with pytest.raises(NotFound):
        await threads.forms[form].find(thread)


async def test_only_newer_activity_is_stored(threads: ThreadsContract, form: str) -> None:
    contract = threads.forms[form]
    thread = await threads.thread()

    async def counted() -> tuple[int, int, datetime | None, int | None]:
        shown = await threads.service.show(thread)
        return shown.post_count, shown.posts_by_others, shown.last_post_at, shown.last_post_by

    await contract.record_activity([Activity(thread, 5, 3, 1, NOON, 17)])
    assert await counted() == (3, 1, NOON, 17)
    await contract.record_activity([Activity(thread, 4, 9, 9, ONE, 18)])
    assert await counted() == (3, 1, NOON, 17), "an older version changes nothing"
    await contract.record_activity([Activity(thread, 5, 9, 9, ONE, 18)])
    assert await counted() == (3, 1, NOON, 17), "nor does the same one again"
    await contract.record_activity([Activity(thread, 6, 0, 0, None)])
    assert await counted() == (0, 0, None, None)


async def test_activity_of_an_unknown_thread_is_ignored(
    threads: ThreadsContract, form: str
) -> None:
    thread = await threads.thread()
    await threads.forms[form].record_activity(
        [Activity(LARGEST_ID, 1, 1, 0, NOON), Activity(thread, 1, 1, 0, NOON)]
    )
    assert (await threads.service.show(thread)).post_count == 1


async def test_recording_no_activity_is_allowed(threads: ThreadsContract, form: str) -> None:
    await threads.forms[form].record_activity([])


async def test_removals_are_returned_in_order_and_once(threads: ThreadsContract, form: str) -> None:
    contract = threads.forms[form]
    before = (await _all_removals(threads, form))[1]
    removed = [await threads.thread() for _ in range(3)]
    for thread in removed:
        await threads.service.remove(threads.token, thread)
    told = await contract.removed(before, 0)
    assert list(told.threads) == removed
    assert list((await contract.removed(told.position, 0)).threads) == []
    assert list((await contract.removed(told.position - 1, 0)).threads) == removed[-1:]


async def test_waiting_for_a_removal_ends_with_it(threads: ThreadsContract, form: str) -> None:
    contract = threads.forms[form]
    position = (await _all_removals(threads, form))[1]
    thread = await threads.thread()
    waiting = asyncio.create_task(contract.removed(position, 20))
    await asyncio.sleep(0)
    await threads.service.remove(threads.token, thread)
    async with asyncio.timeout(15):  # well before its timeout
        assert list((await waiting).threads) == [thread]


async def test_waiting_for_a_removal_ends_after_the_patience(
    threads: ThreadsContract, form: str
) -> None:
    position = (await _all_removals(threads, form))[1]
    removals = await threads.forms[form].removed(position, 0.05)
    assert (list(removals.threads), removals.position) == ([], position)


async def _all_removals(threads: ThreadsContract, form: str) -> tuple[list[int], int]:
    removals = await threads.forms[form].removed(0, 0)
    return list(removals.threads), removals.position
