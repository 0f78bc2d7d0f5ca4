"""A small board in memory, as the page reads it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import httpx

from kernel.contracts import (
    FoundPostView,
    Order,
    PostView,
    ThreadChange,
    ThreadView,
    UserView,
    ViewPage,
)
from kernel.errors import Gone, MalformedRequest, NotFound, Unavailable
from kernel.http.app import create_app
from kernel.process.lifecycle import Lifecycle
from kernel.process.settings import ProcessSettings
from web.page import Page
from web.reading import Sources

ORIGIN = "http://board.example"
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)

View = TypeVar("View")


class FakeContext:
    """A context that answers, or is down. `calls` counts what was read."""

    def __init__(self) -> None:
        self.down = False
        self.calls = 0

    def read(self) -> None:
        """Count a call. Raises `Unavailable` while the context is down."""
        self.calls += 1
        if self.down:
            raise Unavailable("The service does not answer.")


class FakeUsers(FakeContext):
    """`kernel.contracts.UserReader`."""

    def __init__(self, *users: UserView) -> None:
        super().__init__()
        self.by_id = {user.id: user for user in users}

    async def user(self, user: int) -> UserView:
        self.read()
        return _found(self.by_id.get(user))

    async def users(self, users: Sequence[int]) -> Sequence[UserView]:
        self.read()
        return [self.by_id[user] for user in users if user in self.by_id]

    async def search_users(self, words: str) -> Sequence[UserView]:
        self.read()
        return [user for user in self.by_id.values() if user.name.startswith(words)]


class FakeThreads(FakeContext):
    """`kernel.contracts.ThreadReader`. `removed` has the ids of removed threads."""

    def __init__(self, *threads: ThreadView) -> None:
        super().__init__()
        self.by_id = {thread.id: thread for thread in threads}
        self.removed: set[int] = set()

    async def thread(self, thread: int) -> ThreadView:
        self.read()
        if thread in self.removed:
            raise Gone("This thread has been removed.")
        return _found(self.by_id.get(thread))

    async def threads(
        self, order: Order, created_by: int | None, limit: int, after: str | None
    ) -> ViewPage[ThreadView]:
        self.read()
        listed = [t for t in self.by_id.values() if created_by in {None, t.created_by}]
        return _page(sorted(listed, key=lambda t: t.id, reverse=order == "new"), limit, after)

    async def threads_by_id(self, threads: Sequence[int]) -> Sequence[ThreadView]:
        self.read()
        return [self.by_id[thread] for thread in threads if thread in self.by_id]

    async def search_threads(self, words: str) -> Sequence[ThreadView]:
        self.read()
        return [thread for thread in self.by_id.values() if words in thread.title]

    async def thread_changes(self, first: int, last: int) -> Sequence[ThreadChange]:
        self.read()
        return [
            ThreadChange(thread.id, thread.last_post_at or thread.created_at)
            for thread in self.by_id.values()
            if first <= thread.id <= last
        ]


class FakePosts(FakeContext):
    """`kernel.contracts.PostReader`."""

    def __init__(self, *posts: PostView) -> None:
        super().__init__()
        self.all = list(posts)

    async def posts_in_thread(
        self, thread: int, limit: int, after: str | None
    ) -> ViewPage[PostView]:
        self.read()
        return _page([post for post in self.all if post.thread == thread], limit, after)

    async def posts_from(self, thread: int, post: int, limit: int) -> ViewPage[PostView]:
        self.read()
        later = [each for each in self.all if each.thread == thread and each.id >= post]
        return _page(later, limit, None)

    async def newest_in_thread(self, thread: int, limit: int) -> Sequence[PostView]:
        self.read()
        return [post for post in reversed(self.all) if post.thread == thread][:limit]

    async def posts_by_user(self, user: int, limit: int, after: str | None) -> ViewPage[PostView]:
        self.read()
        return _page([post for post in reversed(self.all) if post.user == user], limit, after)

    async def newest_posts(self, limit: int) -> Sequence[PostView]:
        self.read()
        return self.all[::-1][:limit]

    async def search_posts(self, words: str, after: str | None) -> ViewPage[FoundPostView]:
        self.read()
        found = [FoundPostView(post, post.html) for post in self.all if words in post.html]
        return _page(found, 20, after)


class FakeBoard:
    """Two users; thread 1 with three posts, thread 2 without one."""

    def __init__(self) -> None:
        self.users = FakeUsers(
            UserView(1, "ines", "Ines Duarte", "Bakes at night.", "member", NOON),
            UserView(2, "hanako", "Hanako", "", "moderator", NOON),
        )
        self.threads = FakeThreads(
            thread(1, "Bread that will not rise", post_count=3, last_post_at=NOON, last_post_by=2),
            thread(2, "A rainy weekend", locked=True, pinned=True),
        )
        self.posts = FakePosts(
            post(11, html="<p>Is the water <em>warm</em> enough?</p>"),
            post(12, user=2, reply_to=11, edited_at=NOON, edited_by=1),
            post(13, edited_at=NOON),
        )

    @property
    def sources(self) -> Sources:
        """What the page reads."""
        return Sources(self.users, self.threads, self.posts)

    @asynccontextmanager
    async def page(
        self, *, named: bool = True, rules_file: Path | None = None, address_limit: int = 3000
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A client of a process that serves this board's page."""
        settings = ProcessSettings(
            port=0, instance="web-7", public_origin=ORIGIN, address_limit=address_limit
        )
        page = Page.build(self.sources, ORIGIN, "web/web-7" if named else None, rules_file)
        app = page.around(create_app("web", [], settings, Lifecycle(), page.routes))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://web") as client:
            yield client


def thread(number: int, title: str, **changes: object) -> ThreadView:
    """A thread of user 1, without posts."""
    empty = ThreadView(number, title, 1, NOON, None, 0, None, locked=False, pinned=False)
    return replace(empty, **changes)  # type: ignore[arg-type]  # tests name its fields


def post(number: int, **changes: object) -> PostView:
    """A post of user 1 in thread 1."""
    at = NOON + timedelta(minutes=number)
    plain = PostView(number, 1, 1, f"<p>Post {number}</p>", None, at, None, None)
    return replace(plain, **changes)  # type: ignore[arg-type]  # tests name its fields


def _found(view: View | None) -> View:
    if view is None:
        raise NotFound("There is no such thing.")
    return view


def _page(views: Iterable[View], limit: int, after: str | None) -> ViewPage[View]:
    try:
        start = 0 if after is None else int(after)
    except ValueError:
        raise MalformedRequest("The cursor in ?after= cannot be read.") from None
    rest = list(views)[start:]
    before = str(start - limit) if start > limit else "" if start else None
    return ViewPage(rest[:limit], str(start + limit) if len(rest) > limit else None, before)
