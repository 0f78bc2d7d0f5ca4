"""All that one context may know of another.

Contexts form a line, users ← threads ← posts: a call goes left, never right. A service object that
has these methods is the in-process implementation; `kernel.clients` holds the one over HTTP. Both
fail alike: with the failures a docstring names, or with `Unavailable` when the answer could not be
had. An outage is never an absence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Role = Literal["member", "moderator", "admin"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking."""

    id: int
    role: Role

    @property
    def moderates(self) -> bool:
        """Whether they may do to others' posts and threads what others may do to their own."""
        return self.role != "member"


@dataclass(frozen=True, slots=True)
class ThreadRef:
    """A thread, as far as a post needs to know it."""

    id: int
    created_by: int
    locked: bool


@dataclass(frozen=True, slots=True)
class Activity:
    """What has been written in a thread, in absolute values, so that it may be recorded twice.

    `version` grows with every change of the thread's posts; of two activities of one thread the
    higher version is the newer. `posts_by_others` counts the posts of anyone but the person who
    started the thread.
    """

    thread: int
    version: int
    post_count: int
    posts_by_others: int
    last_post_at: datetime | None


@dataclass(frozen=True, slots=True)
class Removals:
    """Threads that have been removed, in order. `position` is where to go on from."""

    threads: Sequence[int]
    position: int


class Users(Protocol):
    """What other contexts may call on users."""

    async def authenticate(self, token: str) -> Actor:
        """Who holds this session token. Raises `Unauthenticated` when nobody does, and `Banned`
        for a user who is banned."""


class Threads(Protocol):
    """What posts may call on threads."""

    async def find(self, thread: int) -> ThreadRef:
        """The thread. Raises `NotFound`."""

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        """Store each activity that is newer than the stored one. Those of unknown threads are
        ignored."""

    async def removed(self, after: int, patience: float) -> Removals:
        """The threads removed since the position `after`; 0 is the beginning. When there are none,
        waits for one, at most `patience` seconds, and then returns none."""
