"""A simple model of the board: threads and posts as they should be."""

from dataclasses import dataclass, field
from typing import Any

from tests.world import Client


@dataclass
class PostModel:
    """A post as it should be. `shown` is the board's latest representation of it."""

    author: Client
    shown: dict[str, Any]
    said: list[str]
    etag: str
    removed_by: Client | None = None

    @property
    def removed(self) -> bool:
        """Whether somebody removed it, and nobody restored it since."""
        return self.removed_by is not None


@dataclass
class ThreadModel:
    """A thread as it should be, with `posts` by id."""

    id: int
    starter: Client
    title: str
    version: int = 1
    locked: bool = False
    pinned: bool = False
    removed: bool = False
    posts: dict[int, PostModel] = field(default_factory=dict)
    acts: list[tuple[str, int, int]] = field(default_factory=list)
    """What moderators did to its posts, in order: the act, the moderator's id and the post's."""

    @property
    def there(self) -> list[dict[str, Any]]:
        """Its posts, in the order of the API's list."""
        posts = [post.shown for _, post in sorted(self.posts.items()) if not post.removed]
        return [] if self.removed else posts

    @property
    def tombstones(self) -> list[tuple[int, int]]:
        """Its removed posts, and who removed each, in the order of the API's list."""
        removed = [
            (number, post.removed_by.id)
            for number, post in sorted(self.posts.items())
            if post.removed_by is not None
        ]
        return [] if self.removed else removed


@dataclass
class Sent:
    """A post that was sent with a key, and the response."""

    who: Client
    body: dict[str, Any]
    key: str
    answer: bytes
