"""What a thread is."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """Something that people talk about.

    `version` counts changes of the thread itself. `post_count` and `last_post_at` are what posts
    has told, and follow within seconds.
    """

    id: int
    title: str
    created_by: int
    created_at: datetime
    edited_at: datetime | None
    version: int
    post_count: int
    last_post_at: datetime | None
    locked: bool
    pinned: bool

    @property
    def active_at(self) -> datetime:
        """What the list of threads is ordered by."""
        return self.last_post_at or self.created_at
