"""Fakes of every context's dependencies: other contexts, and the clock."""

from collections.abc import Sequence
from datetime import UTC, datetime

from kernel.contracts import Activity, Actor, Removals, ThreadRef
from kernel.errors import Failure, NotFound, Unauthenticated

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def noon() -> datetime:
    """A clock that stands still."""
    return NOON


class FakeUsers:
    """`kernel.contracts.Users`: a token is the name of an actor."""

    def __init__(self, **actors: Actor) -> None:
        self.actors = actors

    async def authenticate(self, token: str) -> Actor:
        if token not in self.actors:
            raise Unauthenticated("Nobody has this token.")
        return self.actors[token]


class FakeThreads:
    """`kernel.contracts.Threads` in memory. It raises `failure` while there is one."""

    def __init__(self, *threads: ThreadRef) -> None:
        self.threads = {thread.id: thread for thread in threads}
        self.failure: Failure | None = None
        self.recorded: list[Activity] = []
        self.removals: list[int] = []

    async def find(self, thread: int) -> ThreadRef:
        if self.failure is not None:
            raise self.failure
        if thread not in self.threads:
            raise NotFound("There is no such thread.")
        return self.threads[thread]

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        if self.failure is not None:
            raise self.failure
        self.recorded += activities

    async def removed(self, after: int, patience: float) -> Removals:  # noqa: ARG002 - never waits
        if self.failure is not None:
            raise self.failure
        return Removals(self.removals[after:], len(self.removals))
