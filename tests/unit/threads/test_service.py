"""The rules of threads, without a database."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kernel.contracts import Actor, Removals, ThreadRef
from kernel.data.idempotency import IdempotentWrite
from kernel.errors import Failure, Forbidden, NotFound, Unauthenticated
from kernel.moderation.log import Act
from kernel.process.broadcast import Broadcast
from services.threads.model import EDITABLE, Thread
from services.threads.moderation import Moderation
from services.threads.service import ThreadService
from services.threads.settings import ThreadSettings
from tests.unit.fakes import NOON, FakeUsers, noon
from tests.unit.threads.fakes import FakeSearch, FakeThreadStore

INES, OTTO, MODERATOR = Actor(1, "member"), Actor(2, "member"), Actor(3, "moderator")
BREAD = Thread(1, "Bread", INES.id, NOON, None, 1, 0, 0, None, None, False, False)


LIMITS = ThreadSettings(threads_database_url="postgresql://a:b@c/d")


class Threads:
    """A threads service on fakes."""

    def __init__(self, *threads: Thread) -> None:
        self.store = FakeThreadStore(*threads)
        self.removal = Broadcast()
        users = FakeUsers(ines=INES, otto=OTTO, moderator=MODERATOR)
        self.service = ThreadService(
            self.store, FakeSearch(self.store), users, noon, LIMITS, self.removal
        )
        self.moderation = Moderation(self.store, users, noon)


async def test_started_thread_belongs_to_its_author_and_counts_for_the_limit() -> None:
    threads = Threads()
    thread = await threads.service.start("otto", "Bread", IdempotentWrite.without_key())
    assert (thread.created_by, thread.created_at) == (OTTO.id, NOON)
    [policy] = threads.store.policies
    assert (policy.quota, policy.window) == (1, 15)


async def test_starting_a_thread_requires_a_session() -> None:
    threads = Threads()
    with pytest.raises(Unauthenticated):
        await threads.service.start("nobody", "Bread", IdempotentWrite.without_key())
    assert threads.store.threads == {}


Change = Callable[[Threads, str], Awaitable[object]]

FOR_MODERATORS: dict[str, Change] = {
    "lock-thread": lambda threads, token: threads.moderation.lock(token, BREAD.id, "Enough."),
    "pin-thread": lambda threads, token: threads.moderation.pin(token, BREAD.id),
    "remove-thread": lambda threads, token: threads.moderation.remove(token, BREAD.id, "Enough."),
}
FOR_STARTERS: dict[str, Change] = {
    "edit": lambda threads, token: threads.service.edit(token, BREAD.id, "Brioche", 1),
    "remove": lambda threads, token: threads.service.remove(token, BREAD.id),
}
CHANGES = FOR_MODERATORS | FOR_STARTERS


@pytest.mark.parametrize("name", CHANGES)
async def test_moderators_may_change_any_thread(name: str) -> None:
    threads = Threads(BREAD)
    await CHANGES[name](threads, "moderator")
    assert threads.store.threads != {BREAD.id: BREAD}


@pytest.mark.parametrize(
    ("name", "token", "failure"),
    [
        *((name, "ines", Forbidden) for name in FOR_MODERATORS),
        *((name, "otto", Forbidden) for name in CHANGES),
        *((name, "nobody", Unauthenticated) for name in CHANGES),
    ],
)
async def test_refused_change_leaves_the_thread_as_it_was(
    name: str, token: str, failure: type[Failure]
) -> None:
    threads = Threads(BREAD)
    with pytest.raises(failure):
        await CHANGES[name](threads, token)
    assert threads.store.threads == {BREAD.id: BREAD}
    assert threads.store.acts == []


@pytest.mark.parametrize("name", CHANGES)
async def test_change_of_a_missing_thread_is_not_found(name: str) -> None:
    with pytest.raises(NotFound):
        await CHANGES[name](Threads(), "moderator")


async def test_title_is_editable_for_a_day_by_the_clock() -> None:
    old = Thread(1, "Bread", INES.id, NOON - 2 * EDITABLE, None, 1, 0, 0, None, None, False, False)
    with pytest.raises(Forbidden, match="for a day"):
        await Threads(old).service.edit("ines", old.id, "Brioche", 1)


async def test_other_contexts_see_the_author_of_a_thread_and_whether_it_is_locked() -> None:
    threads = Threads(BREAD)
    await threads.moderation.lock("moderator", BREAD.id, None)
    assert await threads.service.find(BREAD.id) == ThreadRef(BREAD.id, INES.id, True)


@pytest.mark.parametrize("name", FOR_MODERATORS)
async def test_act_of_a_moderator_is_recorded_once(name: str) -> None:
    threads = Threads(BREAD)
    await FOR_MODERATORS[name](threads, "moderator")
    if name != "remove-thread":
        await FOR_MODERATORS[name](threads, "moderator")
    reason = None if name == "pin-thread" else "Enough."
    assert threads.store.acts == [Act(name, MODERATOR.id, BREAD.id, INES.id, reason)]


@pytest.mark.parametrize(("name", "act"), [("edit", "rename-thread"), ("remove", "remove-thread")])
async def test_change_is_an_act_only_on_the_thread_of_another(name: str, act: str) -> None:
    for token, recorded in (("ines", []), ("moderator", [act])):
        threads = Threads(BREAD)
        await FOR_STARTERS[name](threads, token)
        assert [each.name for each in threads.store.acts] == recorded


async def test_act_of_a_case_is_carried_out_once() -> None:
    threads = Threads(BREAD)
    await threads.moderation.lock_thread(BREAD.id, MODERATOR.id, "Enough.", "case-1")
    assert threads.store.threads[BREAD.id].locked
    await threads.moderation.unlock("moderator", BREAD.id)
    await threads.moderation.lock_thread(BREAD.id, MODERATOR.id, "Enough.", "case-1")
    assert not threads.store.threads[BREAD.id].locked
    assert [act.name for act in threads.store.acts] == ["lock-thread", "unlock-thread"]


async def test_act_of_a_case_on_a_missing_thread_is_not_found() -> None:
    with pytest.raises(NotFound):
        await Threads().moderation.lock_thread(BREAD.id, MODERATOR.id, "Enough.", "case-1")


async def test_known_removals_are_returned_without_waiting() -> None:
    threads = Threads(BREAD)
    await threads.service.remove("ines", BREAD.id)
    assert await threads.service.removed(0, 3600) == Removals([BREAD.id], 1)


async def test_notification_of_a_removal_ends_the_wait() -> None:
    threads = Threads(BREAD)
    waiting = asyncio.create_task(threads.service.removed(0, 3600))
    await asyncio.sleep(0)
    await threads.service.remove("ines", BREAD.id)
    threads.removal.notify()
    async with asyncio.timeout(20):
        assert await waiting == Removals([BREAD.id], 1)


async def test_stopping_process_ends_all_waits() -> None:
    threads = Threads()
    threads.removal.close()
    async with asyncio.timeout(20):
        assert await threads.service.removed(0, 3600) == Removals([], 0)
