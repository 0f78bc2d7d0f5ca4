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
    removed: bool = False


@dataclass
class ThreadModel:
    """A thread as it should be; `posts` by id."""

    id: int
    starter: Client
    title: str
    version: int = 1
    locked: bool = False
    pinned: bool = False
    removed: bool = False
    posts: dict[int, PostModel] = field(default_factory=dict)

    @property
    def there(self) -> list[dict[str, Any]]:
        """Its posts, in the order of the API's list."""
        posts = [post.shown for _, post in sorted(self.posts.items()) if not post.removed]
        return [] if self.removed else posts


@dataclass
class Sent:
    """A post that was sent with a key, and the response."""

    who: Client
    body: dict[str, Any]
    key: str
    answer: bytes
