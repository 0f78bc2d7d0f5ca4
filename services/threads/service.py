"""The rules for finding, starting, changing and removing threads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from kernel.contracts import Activity, Order, Removals, ThreadRef, Users
from kernel.data.idempotency import IdempotentWrite
from kernel.data.paging import Page
from kernel.errors import NotFound, Policy
from kernel.moderation.log import Act
from kernel.process.broadcast import Broadcast
from kernel.process.clock import Clock
from services.threads.model import Decide, Thread

LONGEST_PATIENCE = 30.0
"""The most seconds for which `removed` waits."""


class Limits(Protocol):
    """How much one user may do; `services.threads.settings.ThreadSettings` has them."""

    @property
    def for_threads(self) -> Policy: ...

    @property
    def for_edits(self) -> Policy: ...


class Store(Protocol):
    """What `ThreadService` needs of its store; `services.threads.store.ThreadStore` has it in
    PostgreSQL. A method that changes a thread returns None or False if there is no such thread. It
    calls `decide` in the transaction, raises what that raises, and records the act that it
    returns."""

    async def add(
        self,
        title: str,
        created_by: int,
        now: datetime,
        policy: Policy,
        write: IdempotentWrite[Thread],
    ) -> Thread: ...

    async def find(self, thread: int) -> Thread | None: ...

    async def find_many(
        self, threads: Sequence[int], limit: int, after: str | None
    ) -> Page[Thread]: ...

    async def list(
        self, order: Order, created_by: int | None, limit: int, after: str | None
    ) -> Page[Thread]: ...

    async def edit(
        self,
        thread: int,
        title: str,
        version: int,
        actor: int,
        now: datetime,
        policy: Policy,
        decide: Decide,
    ) -> Thread | None: ...

    async def remove(self, thread: int, now: datetime, decide: Decide) -> bool: ...

    async def removed(self, after: int) -> Removals: ...

    async def record_activity(self, activities: Sequence[Activity]) -> None: ...


class Search(Protocol):
    """Finds threads by their titles; `services.threads.search_store.SearchStore` does so in
    PostgreSQL."""

    async def search(self, words: str, limit: int, after: str | None) -> Page[Thread]: ...


class ThreadService:
    """The rules of threads. Implements `kernel.contracts.Threads` in process.

    `removal` is notified when a thread was removed, in any process.
    """

    def __init__(
        self,
        store: Store,
        search: Search,
        users: Users,
        clock: Clock,
        limits: Limits,
        removal: Broadcast,
    ) -> None:
        self._store = store
        self._search = search
        self._users = users
        self._clock = clock
        self._limits = limits
        self._removal = removal

    async def start(self, token: str, title: str, write: IdempotentWrite[Thread]) -> Thread:
        """Start a thread. Raises `Unauthenticated`, `Banned`, `TooManyRequests`, and `Unavailable`
        if users is down."""
        actor = await self._users.authenticate(token)
        now = self._clock()
        return await self._store.add(title, actor.id, now, self._limits.for_threads, write)

    async def show(self, thread: int) -> Thread:
        """The thread. Raises `NotFound`."""
        return _found(await self._store.find(thread))

    async def list(
        self, order: Order, created_by: int | None, limit: int, after: str | None
    ) -> Page[Thread]:
        """A page of threads, or of one user's threads."""
        return await self._store.list(order, created_by, limit, after)

    async def find_many(
        self, threads: Sequence[int], limit: int, after: str | None
    ) -> Page[Thread]:
        """Those of these threads that exist, the newest first."""
        return await self._store.find_many(threads, limit, after)

    async def search(self, words: str, limit: int, after: str | None) -> Page[Thread]:
        """Threads whose titles match the words, the newest first."""
        return await self._search.search(words, limit, after)

    async def edit(self, token: str, thread: int, title: str, version: int) -> Thread:
        """Change the title. The same title changes nothing. Raises `Forbidden` unless the user is
        the author, on the first day, or a moderator; `NotFound`; `Stale` if the thread has another
        version; and `TooManyRequests`."""
        actor = await self._users.authenticate(token)
        now = self._clock()

        def decide(found: Thread) -> Act | None:
            found.check_editable(actor, now)
            return None if actor.id == found.created_by else found.act("rename-thread", actor.id)

        policy = self._limits.for_edits
        return _found(await self._store.edit(thread, title, version, actor.id, now, policy, decide))

    async def remove(self, token: str, thread: int) -> None:
        """Remove the thread. Raises `Forbidden` unless the user is the author and nobody else has
        posted, or the user is a moderator; `NotFound`."""
        actor = await self._users.authenticate(token)

        def decide(found: Thread) -> Act | None:
            found.check_removable(actor)
            return None if actor.id == found.created_by else found.act("remove-thread", actor.id)

        _found(await self._store.remove(thread, self._clock(), decide))

    async def find(self, thread: int) -> ThreadRef:
        """The thread, for other contexts. Raises `NotFound`."""
        found = await self.show(thread)
        return ThreadRef(found.id, found.created_by, found.locked)

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        """Store each activity that is newer than the stored one; ignores unknown threads."""
        await self._store.record_activity(activities)

    async def removed(self, after: int, patience: float) -> Removals:
        """The threads removed since `after`. Waits at most `patience` seconds for one."""
        waiter = self._removal.waiter()
        removals = await self._store.removed(after)
        if not removals.threads and patience > 0:
            await waiter.wait(min(patience, LONGEST_PATIENCE))
            removals = await self._store.removed(after)
        return removals


Found = TypeVar("Found")


def _found(found: Found | None) -> Found:
    if not found:
        raise NotFound("There is no such thread.")
    return found
