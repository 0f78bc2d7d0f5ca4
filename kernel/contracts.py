"""Everything that one context may know of another.

A context is a part of the board with its own code and database. There are four, users ← threads ←
posts ← cases, and each calls only those to its left. The page reads the first three. Within the
monolith, an object of the called context implements these protocols; between services,
`kernel.clients` does, over HTTP. Both raise the same exceptions: those that the method's docstring
names, or `Unavailable` if there is no answer. An outage is never reported as a missing resource."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, Protocol, TypeVar

Order = Literal["active", "new"]
"""How a list of threads is sorted: by last activity, with pinned threads first, or by start."""

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
    `posts_by_others` does not count the posts of the thread's author. `last_post_by` is who wrote
    the last post; None if an earlier version of the board reports, which does not know it.
    """

    thread: int
    version: int
    post_count: int
    posts_by_others: int
    last_post_at: datetime | None
    last_post_by: int | None = None


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


@dataclass(frozen=True, slots=True)
class UserView:
    """A user, as everybody sees them."""

    id: int
    username: str
    name: str
    bio: str
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A thread, as everybody sees it. `post_count`, and when and by whom the last post was written,
    follow its posts within seconds."""

    id: int
    title: str
    created_by: int
    created_at: datetime
    edited_at: datetime | None
    post_count: int
    last_post_at: datetime | None
    locked: bool
    pinned: bool
    last_post_by: int | None = None


@dataclass(frozen=True, slots=True)
class PostView:
    """A post, as everybody sees it. `html` is sanitised. `edited_by` is who wrote the text as it is
    now, if that was not the author."""

    id: int
    thread: int
    user: int
    html: str
    reply_to: int | None
    created_at: datetime
    edited_at: datetime | None
    edited_by: int | None


@dataclass(frozen=True, slots=True)
class FoundPostView:
    """A post that a search found. `snippet` is HTML: the text around the words, which are in
    `<mark>`."""

    post: PostView
    snippet: str


@dataclass(frozen=True, slots=True)
class ThreadChange:
    """When something last happened in a thread."""

    thread: int
    at: datetime


View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class ViewPage(Generic[View]):
    """A part of a list. `next` is the cursor of the next page; None at the end of the list.
    `previous` is that of the page before: empty for the first page, None at the beginning of the
    list, and where that is not known. Of the posts of a thread, `version` is that of the thread:
    a stream that goes on from there misses nothing that they do not show."""

    items: Sequence[View]
    next: str | None
    previous: str | None = None
    version: int | None = None


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


class UserReader(Protocol):
    """What the page may call on users."""

    async def user(self, user: int) -> UserView:
        """The user. Raises `NotFound`."""

    async def users(self, users: Sequence[int]) -> Sequence[UserView]:
        """Those of at most 100 users that exist, by id."""

    async def search_users(self, words: str) -> Sequence[UserView]:
        """The first users whose usernames or names begin like this."""


class ThreadReader(Protocol):
    """What the page may call on threads. Raises `MalformedRequest` for a cursor of another list."""

    async def thread(self, thread: int) -> ThreadView:
        """The thread. Raises `NotFound`, and `Gone` for a removed thread."""

    async def threads(
        self, order: Order, created_by: int | None, limit: int, after: str | None
    ) -> ViewPage[ThreadView]:
        """A page of threads, or of one user's threads."""

    async def threads_by_id(self, threads: Sequence[int]) -> Sequence[ThreadView]:
        """Those of at most 100 threads that exist."""

    async def search_threads(self, words: str) -> Sequence[ThreadView]:
        """The newest threads whose titles match the words."""

    async def thread_changes(self, first: int, last: int) -> Sequence[ThreadChange]:
        """When something last happened in each thread with an id from `first` to `last`."""


class PostReader(Protocol):
    """What the page may call on posts. Raises `MalformedRequest` for a cursor of another list."""

    async def posts_in_thread(
        self, thread: int, limit: int, after: str | None
    ) -> ViewPage[PostView]:
        """The posts of a thread, oldest first; none for a missing thread."""

    async def posts_from(self, thread: int, post: int, limit: int) -> ViewPage[PostView]:
        """The posts of a thread, oldest first, beginning with this one, or shortly before it."""

    async def newest_in_thread(self, thread: int, limit: int) -> Sequence[PostView]:
        """The newest posts of a thread, the newest first."""

    async def posts_by_user(self, user: int, limit: int, after: str | None) -> ViewPage[PostView]:
        """The posts of a user, the newest first; none for a missing user."""

    async def newest_posts(self, limit: int) -> Sequence[PostView]:
        """Posts of all threads, the newest first."""

    async def search_posts(self, words: str, after: str | None) -> ViewPage[FoundPostView]:
        """Posts that match the words, the newest first."""
