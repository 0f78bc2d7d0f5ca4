"""What a post is."""

from dataclasses import dataclass
from datetime import datetime

LONGEST_TEXT = 32_000


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody wrote in a thread: Markdown, and the HTML made of it when it was written."""

    id: int
    thread: int
    user: int
    text: str
    html: str
    reply_to: int | None
    created_at: datetime
    edited_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post that is about to be kept. `by_starter`: its author started the thread."""

    thread: int
    user: int
    by_starter: bool
    text: str
    html: str
