"""Removing posts, by their authors and by moderators, and restoring them."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from kernel.contracts import Actor, ReportedPost, Users
from kernel.data.paging import Page
from kernel.errors import Forbidden, NotFound
from kernel.moderation.log import Act
from kernel.process.clock import Clock
from services.posts.model import PostState, RemovedPost

_NO_POST = "There is no such post."


class Store(Protocol):
    """What `Moderation` needs of its store; `services.posts.stores.moderation.ModerationStore` has
    it in PostgreSQL."""

    async def remove(
        self,
        post: int,
        actor: int,
        reason: str | None,
        now: datetime,
        decide: Callable[[PostState], Act | None],
    ) -> bool: ...

    async def restore(
        self, post: int, now: datetime, decide: Callable[[PostState], Act | None]
    ) -> bool: ...

    async def find(self, post: int) -> PostState | None: ...

    async def removed_in_thread(
        self, thread: int, limit: int, after: str | None
    ) -> Page[RemovedPost]: ...


class Moderation:
    """The rules for removing and restoring posts. Implements `kernel.contracts.Posts` in
    process. A method with a token raises `Unauthenticated`, `Banned` and `Forbidden`. `changed` is
    called after each change that has been stored."""

    def __init__(
        self, store: Store, users: Users, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._store = store
        self._users = users
        self._clock = clock
        self._changed = changed

    async def remove(self, token: str, post: int) -> None:
        """Remove the post. Raises `Forbidden` unless it is theirs or they moderate; `NotFound`,
        also for a post that has been removed."""
        actor = await self._users.authenticate(token)

        def decide(found: PostState) -> Act | None:
            if not found.visible:
                raise NotFound(_NO_POST)
            found.post.check_editable(actor)
            return found.post.act("remove-post", actor.id)

        await self._remove(post, actor.id, None, decide)

    async def remove_as_moderator(self, token: str, post: int, reason: str | None) -> None:
        """Remove the post, unless it has been removed, with a reason that its author may read.
        Raises `NotFound`."""
        actor = await self._check_moderates(token)

        def decide(found: PostState) -> Act | None:
            if found.in_removed_thread:
                raise NotFound(_NO_POST)
            return found.post.act("remove-post", actor.id, reason)

        await self._remove(post, actor.id, reason, decide)

    async def restore(self, token: str, post: int) -> None:
        """Show a post again that a moderator removed. Raises `NotFound`, and `Conflict` if its
        author removed it or its thread has been removed."""
        actor = await self._check_moderates(token)

        def decide(found: PostState) -> Act | None:
            found.check_restorable()
            return Act("restore-post", actor.id, found.post.id, found.post.user)

        if not await self._store.restore(post, self._clock(), decide):
            raise NotFound(_NO_POST)
        self._changed()

    async def removed_in_thread(
        self, token: str, thread: int, limit: int, after: str | None
    ) -> Page[RemovedPost]:
        """What was removed in a thread, oldest first, for moderators; nothing for a thread that is
        not there."""
        await self._check_moderates(token)
        return await self._store.removed_in_thread(thread, limit, after)

    async def remove_post(self, post: int, moderator: int, reason: str, key: str) -> None:
        """Remove the post for a case, once for each `key`. Raises `NotFound` if it never
        existed."""

        def decide(found: PostState) -> Act | None:
            return Act("remove-post", moderator, found.post.id, found.post.user, reason, key)

        await self._remove(post, moderator, reason, decide)

    async def post_for_case(self, post: int) -> ReportedPost:
        """The post, even if it was removed. Raises `NotFound` if it never existed."""
        found = await self._store.find(post)
        if found is None:
            raise NotFound(_NO_POST)
        return ReportedPost(
            found.post.id,
            found.post.thread,
            found.post.user,
            found.post.text,
            removed=not found.visible,
            removed_by_author=found.removed_by_author,
        )

    async def _remove(
        self,
        post: int,
        actor: int,
        reason: str | None,
        decide: Callable[[PostState], Act | None],
    ) -> None:
        if not await self._store.remove(post, actor, reason, self._clock(), decide):
            raise NotFound(_NO_POST)
        self._changed()

    async def _check_moderates(self, token: str) -> Actor:
        actor = await self._users.authenticate(token)
        if not actor.moderates:
            raise Forbidden("This is for moderators.")
        return actor
