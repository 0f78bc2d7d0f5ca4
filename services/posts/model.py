"""What a post is, and who may change it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from kernel.contracts import Actor
from kernel.data.paging import json_weight
from kernel.errors import Conflict, Forbidden
from kernel.moderation.log import Act

LONGEST_TEXT = 32_000

MARKUP = 3
"""The version of the rules by which Markdown becomes HTML. Raise it when the HTML of any text
changes, with a migration that makes the index `posts_to_render` again for the new number."""

MOST_UNREAD = 100
"""The most unread posts of a thread that are counted."""

Kind = Literal["post", "edit", "remove"]
"""What can happen to a post. A post that is restored is a `post` again."""


class Post(NamedTuple):
    """What somebody wrote in a thread: Markdown, and the HTML made of it when it was written.
    `edited_by` is who wrote the text as it is now, if that was not the author."""

    id: int
    thread: int
    user: int
    text: str
    html: str
    reply_to: int | None
    created_at: datetime
    edited_at: datetime | None
    edited_by: int | None

    @property
    def weight(self) -> int:
        """About how many bytes it has as JSON."""
        return json_weight(self.text) + json_weight(self.html)

    def act(
        self, name: str, moderator: int, reason: str | None = None, key: str | None = None
    ) -> Act | None:
        """The act of a moderator on this post; None on their own."""
        if moderator == self.user:
            return None
        return Act(name, moderator, self.id, self.user, reason, key)

    def check_editable(self, actor: Actor) -> None:
        """Raises `Forbidden` unless the actor may change, remove, and see the history of it."""
        if actor.id != self.user and not actor.moderates:
            raise Forbidden("Only its author or a moderator may do this to a post.")


class JsonPost(NamedTuple):
    """A post as the API shows it: a JSON object in UTF-8."""

    id: int
    json: bytes


Decide: TypeAlias = Callable[[Post], Act | None]
"""Decides about a change to a post as it is in the transaction of the change: raises unless it is
allowed, and returns the act of moderation that it is, if it is one."""


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post that is about to be kept. `by_starter`: its author started the thread."""

    thread: int
    user: int
    by_starter: bool
    text: str
    html: str
    reply_to: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A post that a search found. `snippet` is HTML: the shown text around the words, which are in
    `<mark>`."""

    post: Post
    snippet: str


@dataclass(frozen=True, slots=True)
class Revision:
    """What a post said once. The last one is what it says now. `edited_by` is who wrote it, if that
    was not the author."""

    number: int
    text: str
    created_at: datetime
    edited_by: int | None

    @property
    def weight(self) -> int:
        """About how many bytes it has as JSON."""
        return json_weight(self.text)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a thread. `version` orders the thread's events. `post` is how the
    post is now; None when it has been removed."""

    version: int
    kind: Kind
    post_id: int
    post: Post | None


@dataclass(frozen=True, slots=True)
class Removal:
    """Who removed a post, when and why. `by` is None if a version of the board removed it that did
    not record who asked for it."""

    at: datetime
    by: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PostState:
    """A post, removed or not. `in_removed_thread` is whether its thread has been removed."""

    post: Post
    removal: Removal | None
    in_removed_thread: bool

    @property
    def visible(self) -> bool:
        """Whether everybody sees the post."""
        return self.removal is None and not self.in_removed_thread

    @property
    def removed_by_author(self) -> bool:
        """Whether the author removed the post, or may have."""
        return self.removal is not None and self.removal.by in {None, self.post.user}

    def check_restorable(self) -> None:
        """Raises `Conflict` unless a moderator removed the post, from a thread that is still
        there."""
        if self.in_removed_thread:
            raise Conflict("The thread of this post has been removed.")
        if self.removed_by_author:
            raise Conflict("The author removed this post. Only what a moderator removed returns.")


class RemovedPost(NamedTuple):
    """What is left of a removed post, for moderators."""

    id: int
    thread: int
    user: int
    text: str
    html: str
    reply_to: int | None
    created_at: datetime
    edited_at: datetime | None
    edited_by: int | None
    removed_at: datetime
    removed_by: int | None
    reason: str | None

    @property
    def weight(self) -> int:
        """About how many bytes it has as JSON."""
        return json_weight(self.text) + json_weight(self.html)


class ReadPosition(NamedTuple):
    """The highest post of a thread that a user has read."""

    thread: int
    post: int


class ReadPositions(NamedTuple):
    """What is stored of a reader. Posts with ids up to `read_up_to` count as read in threads
    without a position; None: nothing was recorded yet."""

    read_up_to: int | None
    positions: Sequence[ReadPosition]


@dataclass(frozen=True, slots=True)
class Unread:
    """What is unread in a thread: `count` posts of others, at most `MOST_UNREAD`, from `first` on.
    Posts with ids up to `read_up_to` count as read; None: nothing was recorded yet, and nothing is
    unread."""

    thread: int
    read_up_to: int | None
    count: int
    first: int | None
