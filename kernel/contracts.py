"""All that one context may know of another.

Contexts form a line, users ← threads ← posts ← cases: a call goes left, never right. An object of
the called context that has these methods is the in-process implementation; `kernel.clients` has the
one over HTTP. Both fail alike: with the failures a docstring names, or with `Unavailable` when the
answer could not be had. An outage is never an absence.
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


@dataclass(frozen=True, slots=True)
class Moderator:
    """Somebody who may decide about others: a moderator or an admin."""

    id: int
    username: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class KeyedAct:
    """In whose name another context asks for an act, and why. An act with the same `key` is carried
    out once, however often it is asked for."""

    moderator: int
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class ReportedPost:
    """A post as a case needs to know it, removed or not. `removed_by_author` is also true if nobody
    recorded who removed it."""

    id: int
    thread: int
    author: int
    text: str
    removed: bool
    removed_by_author: bool


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


class UserModeration(Protocol):
    """What cases may call on users."""

    async def moderators(self) -> Sequence[Moderator]:
        """The moderators and admins who are not banned, by id."""

    async def ban_user(self, user: int, moderator: int, reason: str, key: str) -> None:
        """Ban the user without an end, in the moderator's name. Does nothing if an act with this
        key was carried out before. Raises `NotFound`, and `Conflict` if the user has left, or the
        moderator does not have a higher role than the user."""


class ThreadModeration(Protocol):
    """What cases may call on threads."""

    async def lock_thread(self, thread: int, moderator: int, reason: str, key: str) -> None:
        """Let the thread take no more posts, in the moderator's name. Does nothing if an act with
        this key was carried out before. Raises `NotFound`, also for a removed thread."""


class Posts(Protocol):
    """What cases may call on posts."""

    async def post_for_case(self, post: int) -> ReportedPost:
        """The post, also if it or its thread has been removed. Raises `NotFound` if there never was
        such a post."""

    async def remove_post(self, post: int, moderator: int, reason: str, key: str) -> None:
        """Remove the post, unless it has been removed, in the moderator's name. Does nothing if an
        act with this key was carried out before. Raises `NotFound` if there never was such a
        post."""
