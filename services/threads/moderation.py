"""The rules for moderators' acts on threads: locking, pinning and removing."""

from datetime import datetime
from typing import Protocol

from kernel.contracts import Actor, Users
from kernel.errors import Forbidden, NotFound
from kernel.moderation.log import Act
from kernel.process.clock import Clock
from services.threads.model import Decide, Mark, Thread


class Store(Protocol):
    """What `Moderation` needs of its store; `services.threads.store.ThreadStore` has it in
    PostgreSQL. Both methods return False if there is no such thread."""

    async def mark(
        self, thread: int, mark: Mark, value: bool, now: datetime, decide: Decide
    ) -> bool: ...

    async def remove(self, thread: int, now: datetime, decide: Decide) -> bool: ...


class Moderation:
    """The rules for moderators' acts on threads. Implements `kernel.contracts.ThreadModeration` in
    process. A method with a token raises `Unauthenticated`, `Banned`, `Forbidden` for members, and
    `NotFound`. The author of the thread may read the reason."""

    def __init__(self, store: Store, users: Users, clock: Clock) -> None:
        self._store = store
        self._users = users
        self._clock = clock

    async def lock(self, token: str, thread: int, reason: str | None) -> None:
        """Lock the thread, so that nobody can reply."""
        await self._mark(token, thread, "locked", True, "lock-thread", reason)

    async def unlock(self, token: str, thread: int) -> None:
        """Unlock the thread."""
        await self._mark(token, thread, "locked", False, "unlock-thread")

    async def pin(self, token: str, thread: int) -> None:
        """Pin the thread to the top of the list."""
        await self._mark(token, thread, "pinned", True, "pin-thread")

    async def unpin(self, token: str, thread: int) -> None:
        """Unpin the thread."""
        await self._mark(token, thread, "pinned", False, "unpin-thread")

    async def remove(self, token: str, thread: int, reason: str | None) -> None:
        """Remove the thread."""
        actor = await self._check_moderates(token)

        def decide(found: Thread) -> Act | None:
            if actor.id == found.created_by:
                return None
            return found.act("remove-thread", actor.id, reason)

        _check_found(await self._store.remove(thread, self._clock(), decide))

    async def lock_thread(self, thread: int, moderator: int, reason: str, key: str) -> None:
        """Lock the thread for a case, once for each `key`. Raises `NotFound`."""
        _check_found(
            await self._store.mark(
                thread, "locked", True, self._clock(),
                lambda found: found.act("lock-thread", moderator, reason, key),
            )
        )  # fmt: skip

    async def _mark(
        self,
        token: str,
        thread: int,
        mark: Mark,
        value: bool,
        act: str,
        reason: str | None = None,
    ) -> None:
        actor = await self._check_moderates(token)
        _check_found(
            await self._store.mark(
                thread, mark, value, self._clock(),
                lambda found: found.act(act, actor.id, reason),
            )
        )  # fmt: skip

    async def _check_moderates(self, token: str) -> Actor:
        actor = await self._users.authenticate(token)
        if not actor.moderates:
            raise Forbidden("This is for moderators.")
        return actor


def _check_found(found: bool) -> None:
    if not found:
        raise NotFound("There is no such thread.")
