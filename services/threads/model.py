"""What a thread is, and who may change it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from kernel.contracts import Actor
from kernel.errors import Forbidden
from kernel.moderation.log import Act

Mark = Literal["locked", "pinned"]
"""A mark that moderators set on a thread."""

EDITABLE = timedelta(hours=24)
"""How long after starting a thread its author may change the title."""


class Thread(NamedTuple):
    """A thread.

    `version` counts changes of the thread itself. `post_count`, `posts_by_others`, `last_post_at`
    and `last_post_by` come from the posts context, and follow within seconds. `last_post_by` is
    None also for posts from before it was recorded.
    """

    id: int
    title: str
    created_by: int
    created_at: datetime
    edited_at: datetime | None
    version: int
    post_count: int
    posts_by_others: int
    last_post_at: datetime | None
    last_post_by: int | None
    locked: bool
    pinned: bool

    @property
    def active_at(self) -> datetime:
        """The time by which the list of threads is sorted."""
        return self.last_post_at or self.created_at

    def act(
        self, name: str, moderator: int, reason: str | None = None, key: str | None = None
    ) -> Act:
        """The act of a moderator on this thread."""
        return Act(name, moderator, self.id, self.created_by, reason, key)

    def check_editable(self, actor: Actor, now: datetime) -> None:
        """Raises `Forbidden` unless the actor may change the title."""
        if actor.moderates:
            return
        if actor.id != self.created_by:
            raise Forbidden("Only who started a thread may change its title.")
        if now - self.created_at > EDITABLE:
            raise Forbidden("The title of a thread can be changed for a day.")

    def check_removable(self, actor: Actor) -> None:
        """Raises `Forbidden` unless the actor may remove the thread."""
        if actor.moderates:
            return
        if actor.id != self.created_by:
            raise Forbidden("Only who started a thread may remove it.")
        if self.posts_by_others:
            raise Forbidden("Others have posted in this thread. Ask a moderator to remove it.")


Decide: TypeAlias = Callable[[Thread], Act | None]
"""Called with the thread in the transaction that changes it. Raises unless the change is allowed.
Returns the change as an act of moderation, or None if it is not one."""
