"""What people can do with threads: list, start and show them."""

from collections.abc import Sequence

from kernel.clock import Clock
from kernel.contracts import Activity, ThreadRef, Users
from kernel.errors import NotFound
from kernel.pages import Page
from services.threads.model import Thread
from services.threads.store import ThreadStore


class ThreadService:
    """The rules of threads. Implements `kernel.contracts.Threads` in process."""

    def __init__(self, store: ThreadStore, users: Users, clock: Clock) -> None:
        self._store = store
        self._users = users
        self._clock = clock

    async def start(self, token: str, title: str) -> Thread:
        """Start a thread. Raises `Unauthenticated`, and `Unavailable` when users is down."""
        actor = await self._users.authenticate(token)
        return await self._store.add(title, actor.id, self._clock())

    async def show(self, thread: int) -> Thread:
        """The thread. Raises `NotFound`."""
        found = await self._store.find(thread)
        if found is None:
            raise NotFound("There is no such thread.")
        return found

    async def active(self, limit: int, after: str | None) -> Page[Thread]:
        """Pinned threads first, then those in which something happened last."""
        return await self._store.active(limit, after)

    async def find(self, thread: int) -> ThreadRef:
        """See `kernel.contracts.Threads`."""
        found = await self.show(thread)
        return ThreadRef(found.id, found.created_by, found.locked)

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        """See `kernel.contracts.Threads`."""
        await self._store.record_activity(activities)
