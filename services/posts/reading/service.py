"""The rules of read positions (docs/decisions/read-positions.md)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kernel.contracts import Users
from kernel.errors import Policy
from kernel.process.clock import Clock
from services.posts.model import ReadPosition, ReadPositions, Unread


class Limits(Protocol):
    """How often one user may record read positions; implemented by
    `services.posts.settings.PostSettings`."""

    @property
    def for_reading(self) -> Policy: ...


class Store(Protocol):
    """What `Reading` needs of its store; `services.posts.stores.reading.ReadingStore` implements it
    with PostgreSQL."""

    async def unread(self, user: int, threads: Sequence[int]) -> Sequence[Unread]: ...

    async def positions(self, user: int) -> ReadPositions: ...

    async def record(
        self, user: int, positions: Sequence[ReadPosition], now: datetime, policy: Policy
    ) -> None: ...

    async def record_all(self, user: int, now: datetime, policy: Policy) -> None: ...


class Reading:
    """What the user of a session token has read. Every method raises `Unauthenticated`, `Banned`
    and `Unavailable`."""

    def __init__(self, store: Store, users: Users, clock: Clock, limits: Limits) -> None:
        self._store = store
        self._users = users
        self._clock = clock
        self._limits = limits

    async def unread(self, token: str, threads: Sequence[int]) -> Sequence[Unread]:
        """What is unread in each of these threads, in their order. A missing thread has nothing
        unread."""
        actor = await self._users.authenticate(token)
        return await self._store.unread(actor.id, threads)

    async def positions(self, token: str) -> ReadPositions:
        """Everything that is stored of the user."""
        actor = await self._users.authenticate(token)
        return await self._store.positions(actor.id)

    async def record(self, token: str, positions: Sequence[ReadPosition]) -> None:
        """Record that the user has read these threads up to these posts. A lower position than the
        stored one changes nothing. The first call of a user, which may have no positions, begins:
        from then on, posts in other threads count as unread if they are written later. Raises
        `TooManyRequests`."""
        actor = await self._users.authenticate(token)
        await self._store.record(actor.id, positions, self._clock(), self._limits.for_reading)

    async def record_all(self, token: str) -> None:
        """Record that the user has read every post that exists. Raises `TooManyRequests`."""
        actor = await self._users.authenticate(token)
        await self._store.record_all(actor.id, self._clock(), self._limits.for_reading)
