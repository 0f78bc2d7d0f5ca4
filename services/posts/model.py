"""What a post is, and who may change it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from kernel.contracts import Actor
from kernel.data.paging import json_weight
from kernel.errors import Forbidden

LONGEST_TEXT = 32_000

MARKUP = 1
"""The version of the rules by which Markdown becomes HTML. Raise it when the HTML of any text
changes, with a migration that makes the index `posts_to_render` again for the new number."""

Kind = Literal["post", "edit", "remove"]
"""What can happen to a post."""


class Post(NamedTuple):
    """What somebody wrote in a thread: Markdown, and the HTML made of it when it was written."""

    id: int
    thread: int
    user: int
    text: str
    html: str
    reply_to: int | None
    created_at: datetime
    edited_at: datetime | None

    @property
    def weight(self) -> int:
        """About how many bytes it has as JSON."""
        return json_weight(self.text) + json_weight(self.html)

    def check_editable(self, actor: Actor) -> None:
        """Raises `Forbidden` unless the actor may change, remove, and see the history of it."""
        if actor.id != self.user and not actor.moderates:
            raise Forbidden("Only its author or a moderator may do this to a post.")


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
    """A post that a search found. `snippet` is HTML: the text around the words, which are in
    `<mark>`."""

    post: Post
    snippet: str


@dataclass(frozen=True, slots=True)
class Revision:
    """What a post said once. The last one is what it says now."""

    number: int
    text: str
    created_at: datetime

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
