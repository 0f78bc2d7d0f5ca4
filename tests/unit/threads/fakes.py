"""Fakes of the threads service's dependencies."""

from collections.abc import Sequence
from datetime import datetime

from kernel.contracts import Activity, Order, Removals
from kernel.data.idempotency import IdempotentWrite
from kernel.data.paging import Page
from kernel.errors import Policy
from kernel.moderation.log import Act
from services.threads.model import Decide, Mark, Thread


class FakeThreadStore:
    """`services.threads.service.Store` in memory."""

    def __init__(self, *threads: Thread) -> None:
        self.threads = {thread.id: thread for thread in threads}
        self.removals: list[int] = []
        self.recorded: list[Activity] = []
        self.policies: list[Policy] = []
        self.acts: list[Act] = []

    async def add(
        self,
        title: str,
        created_by: int,
        now: datetime,
        policy: Policy,
        _write: IdempotentWrite[Thread],
    ) -> Thread:
        number = len(self.threads) + 1
        thread = Thread(number, title, created_by, now, None, 1, 0, 0, None, None, False, False)
        self.threads[number] = thread
        self.policies.append(policy)
        return thread

    async def find(self, thread: int) -> Thread | None:
        return self.threads.get(thread)

    async def find_many(
        self, threads: Sequence[int], limit: int, _after: str | None
    ) -> Page[Thread]:
        found = [self.threads[number] for number in threads if number in self.threads]
        return Page(found[:limit], None)

    async def list(
        self, _order: Order, _created_by: int | None, limit: int, _after: str | None
    ) -> Page[Thread]:
        return Page([*self.threads.values()][:limit], None)

    async def edit(
        self,
        thread: int,
        title: str,
        _version: int,
        _actor: int,
        now: datetime,
        _policy: Policy,
        decide: Decide,
    ) -> Thread | None:
        if thread not in self.threads:
            return None
        self._record(decide(self.threads[thread]))
        self.threads[thread] = self.threads[thread]._replace(title=title, edited_at=now)
        return self.threads[thread]

    async def mark(
        self, thread: int, mark: Mark, value: bool, _now: datetime, decide: Decide
    ) -> bool:
        if thread not in self.threads:
            return False
        found = self.threads[thread]
        changed = found._replace(locked=value) if mark == "locked" else found._replace(pinned=value)
        act = decide(found)
        keyed = act is not None and act.key is not None
        if (changed != found or keyed) and self._record(act):
            self.threads[thread] = changed
        return True

    def _record(self, act: Act | None) -> bool:
        if act is None:
            return True
        if act.key is not None and act.key in {other.key for other in self.acts}:
            return False
        self.acts.append(act)
        return True

    async def remove(self, thread: int, _now: datetime, decide: Decide) -> bool:
        if thread not in self.threads:
            return False
        self._record(decide(self.threads[thread]))
        del self.threads[thread]
        self.removals.append(thread)
        return True

    async def removed(self, after: int) -> Removals:
        return Removals(self.removals[after:], len(self.removals))

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        self.recorded += activities


class FakeSearch:
    """`services.threads.service.Search` in what a fake store has."""

    def __init__(self, store: FakeThreadStore) -> None:
        self._store = store

    async def search(self, words: str, limit: int, _after: str | None) -> Page[Thread]:
        found = [thread for thread in self._store.threads.values() if words in thread.title]
        return Page(found[:limit], None)
