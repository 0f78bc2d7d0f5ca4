"""The rules for writing, finding and changing posts."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from kernel.contracts import Threads, Users
from kernel.data.attempts import Attempts
from kernel.data.idempotency import IdempotentWrite
from kernel.data.paging import Page
from kernel.errors import Conflict, NotFound, Policy, TooManyRequests
from kernel.moderation.log import Act
from kernel.process.clock import Clock
from services.posts.model import Decide, Found, NewPost, Post, Revision

Result = TypeVar("Result")


Render = Callable[[str, int], Awaitable[str]]
"""Renders Markdown as safe HTML, for the user with this id. Raises `Invalid`."""


class Limits(Protocol):
    """How often one user may post, preview and edit; implemented by
    `services.posts.settings.PostSettings`."""

    @property
    def for_posts(self) -> Policy: ...

    @property
    def for_previews(self) -> Policy: ...

    @property
    def for_edits(self) -> Policy: ...


class Store(Protocol):
    """What `PostService` needs of its store; `services.posts.store.PostStore` implements it with
    PostgreSQL. `edit` returns None if there is no such post. Inside its transaction it calls
    `decide`, which raises an exception to refuse the change, and otherwise returns the act of
    moderation to be recorded, if it is one."""

    async def check_replay(
        self, write: IdempotentWrite[Post], user: int, now: datetime
    ) -> None: ...

    async def add(
        self, new: NewPost, now: datetime, policy: Policy, write: IdempotentWrite[Post]
    ) -> Post: ...

    async def edit(
        self,
        post: int,
        actor: int,
        text: str,
        rendered: str,
        now: datetime,
        policy: Policy,
        decide: Decide,
    ) -> Post | None: ...

    async def check_may_post(self, user: int, now: datetime, policy: Policy) -> None: ...

    async def check_may_edit(self, user: int, now: datetime, policy: Policy) -> None: ...

    async def count_preview(self, user: int, now: datetime, policy: Policy) -> None: ...

    async def find(self, post: int) -> Post | None: ...

    async def revisions(self, post: int, limit: int, after: str | None) -> Page[Revision]: ...


class Search(Protocol):
    """Finds posts by words; `services.posts.search.store.SearchStore` does so in PostgreSQL."""

    async def search(self, words: str, limit: int, after: str | None) -> Page[Found]: ...


class PostService:
    """The rules of posts. `changed` is called after each stored change.

    Rendering is expensive, so whatever can be refused without it is refused first.
    """

    def __init__(
        self,
        store: Store,
        search: Search,
        users: Users,
        threads: Threads,
        render: Render,
        clock: Clock,
        limits: Limits,
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._search = search
        self._users = users
        self._threads = threads
        self._render = render
        self._clock = clock
        self._limits = limits
        self._changed = changed
        self._attempts = Attempts()

    async def write(
        self, token: str, thread: int, text: str, reply_to: int | None, write: IdempotentWrite[Post]
    ) -> Post:
        """Write a post. Raises `Unauthenticated`, `Banned`, `NotFound` for a missing thread,
        `Conflict` for a locked one, `Invalid` for a reply to a post of another thread or a text
        that cannot be rendered, `TooManyRequests`, and `Unavailable` if users or threads is
        down."""
        who, where = await asyncio.gather(
            self._users.authenticate(token), self._threads.find(thread), return_exceptions=True
        )
        actor = _unless_failed(who)
        now = self._clock()
        # First of all: a repeated request gets its first response again, even if the thread has
        # been locked since.
        await self._store.check_replay(write, actor.id, now)
        found = _unless_failed(where)
        if found.locked:
            raise Conflict("This thread is locked.")
        policy = self._limits.for_posts
        if self._attempts.repeated(actor.id, now, timedelta(seconds=policy.window)):
            await self._check_may_post(actor.id, now, write)
        html = await self._render(text, actor.id)
        by_starter = actor.id == found.created_by
        new = NewPost(thread, actor.id, by_starter, text, html, reply_to)
        post = await self._store.add(new, now, policy, write)
        self._changed()
        return post

    async def _check_may_post(self, user: int, now: datetime, write: IdempotentWrite[Post]) -> None:
        try:
            await self._store.check_may_post(user, now, self._limits.for_posts)
        except TooManyRequests:
            # What used up the limit may be this very post, just stored by a concurrent repetition.
            await self._store.check_replay(write, user, now)
            raise

    async def preview(self, token: str, text: str) -> str:
        """The HTML that a post with this text would have. Raises as `authenticate` does,
        `TooManyRequests`, and `Invalid` for a text that cannot be rendered."""
        actor = await self._users.authenticate(token)
        await self._store.count_preview(actor.id, self._clock(), self._limits.for_previews)
        return await self._render(text, actor.id)

    async def edit(
        self, token: str, post: int, text: str, check_unchanged: Callable[[Post], None]
    ) -> Post:
        """Change the text; the old one is stored as a revision. If the text is the same, nothing
        changes. Raises `Forbidden` unless the user is the author or a moderator, `NotFound`,
        `Invalid` for a text that cannot be rendered, `TooManyRequests`, and what `check_unchanged`
        raises for the current post."""
        actor = await self._users.authenticate(token)
        now, policy = self._clock(), self._limits.for_edits

        def decide(found: Post) -> Act | None:
            found.check_editable(actor)
            check_unchanged(found)
            return found.act("edit-post", actor.id)

        found = await self.find(post)
        decide(found)
        if found.text == text:
            return found
        await self._store.check_may_edit(actor.id, now, policy)
        html = await self._render(text, actor.id)
        edited = await self._store.edit(post, actor.id, text, html, now, policy, decide)
        if edited is None:
            raise NotFound(_NO_POST)
        self._changed()
        return edited

    async def revisions(
        self, token: str, post: int, limit: int, after: str | None
    ) -> Page[Revision]:
        """Every text that the post has had, oldest first. Only for its author and moderators."""
        actor = await self._users.authenticate(token)
        (await self.find(post)).check_editable(actor)
        return await self._store.revisions(post, limit, after)

    async def find(self, post: int) -> Post:
        """The post. Raises `NotFound`."""
        found = await self._store.find(post)
        if found is None:
            raise NotFound(_NO_POST)
        return found

    async def search(self, words: str, limit: int, after: str | None) -> Page[Found]:
        """Posts that match the words, newest first."""
        return await self._search.search(words, limit, after)


_NO_POST = "There is no such post."


def _unless_failed(result: Result | BaseException) -> Result:
    if isinstance(result, BaseException):
        raise result
    return result
