"""Everything that one context may know of another.

A context is a part of the board with its own code and database. There are four, users ← threads ←
posts ← cases, and each calls only those to its left. Within the monolith, an object of the called
context implements these protocols; between services, `kernel.clients` does, over HTTP. Both raise
the same exceptions: those that the method's docstring names, or `Unavailable` if there is no
answer. An outage is never reported as a missing resource."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Role = Literal["member", "moderator", "admin"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The user who sent a request."""

    id: int
    role: Role

    @property
    def moderates(self) -> bool:
        """Whether the user may change the posts and threads of others."""
        return self.role != "member"


@dataclass(frozen=True, slots=True)
class ThreadRef:
    """What posts need to know of a thread."""

    id: int
    created_by: int
    locked: bool


@dataclass(frozen=True, slots=True)
class Activity:
    """The numbers of a thread's posts: totals, not differences, so that recording them twice does
    no harm.

    `version` grows with every change of the thread's posts; a higher version is newer.
    `posts_by_others` does not count the posts of the thread's author.
    """

    thread: int
    version: int
    post_count: int
    posts_by_others: int
    last_post_at: datetime | None


@dataclass(frozen=True, slots=True)
class Removals:
    """The ids of removed threads, in the order of their removal. To continue, pass `position` as
    the `after` of the next call."""

    threads: Sequence[int]
    position: int


@dataclass(frozen=True, slots=True)
class Moderator:
    """A moderator or an admin."""

    id: int
    username: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class KeyedAct:
    """The body of a request by which one context asks another to act in a moderator's name. Acts
    with the same `key` are carried out only once, however often they are requested."""

    moderator: int
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class ReportedPost:
    """What cases need to know of a post, whether or not it has been removed. `removed_by_author` is
    also true for a removed post if there is no record of who removed it."""

    id: int
    thread: int
    author: int
    text: str
    removed: bool
    removed_by_author: bool


class Users(Protocol):
    """What other contexts may call on users."""

    async def authenticate(self, token: str) -> Actor:
        """The user of this session token. Raises `Unauthenticated` for an invalid token, and
        `Banned` for a banned user."""


class Threads(Protocol):
    """What posts may call on threads."""

    async def find(self, thread: int) -> ThreadRef:
        """The thread. Raises `NotFound`."""

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        """Store each activity that is newer than the stored one. Activities of unknown threads
        are ignored."""

    async def removed(self, after: int, patience: float) -> Removals:
        """The threads removed since the position `after`; 0 is the beginning. If there are none
        yet, waits up to `patience` seconds for one, and returns no threads if none came."""


class Departures(Protocol):
    """What contexts that store something of people may call on users."""

    async def departed(self, users: Sequence[int]) -> Sequence[int]:
        """Which of these users have deleted their accounts."""


class UserModeration(Departures, Protocol):
    """What cases may call on users."""

    async def moderators(self) -> Sequence[Moderator]:
        """The moderators and admins who are not banned, by id."""

    async def ban_user(self, user: int, moderator: int, reason: str, key: str) -> None:
        """Ban the user permanently, in the moderator's name. Does nothing if an act with this
        key was carried out before. Raises `NotFound`, and `Conflict` if the account was deleted or
        the moderator's role is not higher than the user's."""


class ThreadModeration(Protocol):
    """What cases may call on threads."""

    async def lock_thread(self, thread: int, moderator: int, reason: str, key: str) -> None:
        """Lock the thread in the moderator's name, so that nobody can reply. Does nothing if an act
        with this key was carried out before. Raises `NotFound` for a missing or removed thread."""


class Posts(Protocol):
    """What cases may call on posts."""

    async def post_for_case(self, post: int) -> ReportedPost:
        """The post, even if it or its thread was removed. Raises `NotFound` if the post never
        existed."""

    async def remove_post(self, post: int, moderator: int, reason: str, key: str) -> None:
        """Remove the post in the moderator's name, unless it is already removed. Does nothing if an
        act with this key was carried out before. Raises `NotFound` if the post never existed."""
