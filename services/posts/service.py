"""What people can do with posts: write, list and show them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kernel.clock import Clock
from kernel.contracts import Threads, Users
from kernel.errors import Conflict, NotFound
from kernel.pages import Page
from services.posts.markup import Markup
from services.posts.model import NewPost, Post
from services.posts.store import PostStore

First = TypeVar("First")
Second = TypeVar("Second")


class PostService:
    """The rules of posts. `written` is called after each post that has been kept."""

    def __init__(
        self,
        store: PostStore,
        users: Users,
        threads: Threads,
        markup: Markup,
        clock: Clock,
        written: Callable[[], None],
    ) -> None:
        self._store = store
        self._users = users
        self._threads = threads
        self._markup = markup
        self._clock = clock
        self._written = written

    async def write(self, token: str, thread: int, text: str) -> Post:
        """Write a post. Raises `Unauthenticated`, `NotFound` for a thread that is not there,
        `Conflict` for a locked one, and `Unavailable` when a context that must be asked is down."""
        actor, found = await _both(self._users.authenticate(token), self._threads.find(thread))
        if found.locked:
            raise Conflict("This thread is locked.")
        html = await self._markup.render(text)
        new = NewPost(thread, actor.id, actor.id == found.created_by, text, html)
        post = await self._store.add(new, self._clock())
        self._written()
        return post

    async def find(self, post: int) -> Post:
        """The post. Raises `NotFound`."""
        found = await self._store.find(post)
        if found is None:
            raise NotFound("There is no such post.")
        return found

    async def newest(self, limit: int, after: str | None) -> Page[Post]:
        """Posts of all threads, newest first."""
        return await self._store.newest(limit, after)

    async def in_thread(self, thread: int, limit: int, after: str | None) -> Page[Post]:
        """What was written in a thread, oldest first; nothing for a thread that is not there."""
        return await self._store.in_thread(thread, limit, after)

    async def by_user(self, user: int, limit: int, after: str | None) -> Page[Post]:
        """What a user wrote, newest first; nothing for a user who is not there."""
        return await self._store.by_user(user, limit, after)


async def _both(first: Awaitable[First], second: Awaitable[Second]) -> tuple[First, Second]:
    """Both answers, asked for at the same time. When both fail, the first one's failure counts:
    who may not ask learns nothing else."""
    one, other = await asyncio.gather(first, second, return_exceptions=True)
    for answer in (one, other):
        if isinstance(answer, BaseException):
            raise answer
    return one, other  # type: ignore[return-value]  # neither is an exception any more
