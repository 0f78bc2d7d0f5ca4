"""What everybody sees of posts, for the page."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from kernel.contracts import FoundPostView, PostView, ViewPage
from kernel.data.paging import Page
from services.posts.model import Post
from services.posts.service import PostService

_FOUND = 20


class Lists(Protocol):
    """What `Views` needs of lists; `services.posts.stores.lists.PostLists` has it in PostgreSQL."""

    async def newest(self, limit: int, after: str | None) -> Page[Post]: ...

    async def in_thread(self, thread: int, limit: int, after: str | None) -> Page[Post]: ...

    async def by_user(self, user: int, limit: int, after: str | None) -> Page[Post]: ...

    async def cursor_before(self, thread: int, post: int) -> str | None: ...

    async def before_in_thread(self, thread: int, after: str, limit: int) -> str | None: ...

    async def before_by_user(self, user: int, after: str, limit: int) -> str | None: ...

    async def newest_in_thread(self, thread: int, limit: int) -> Sequence[Post]: ...


class Activity(Protocol):
    """`services.posts.stores.activity.ActivityStore` has it in PostgreSQL."""

    async def version(self, thread: int) -> int | None: ...


class Views:
    """Implements `kernel.contracts.PostReader` in process."""

    def __init__(self, service: PostService, lists: Lists, activity: Activity) -> None:
        self._service = service
        self._lists = lists
        self._activity = activity

    async def posts_in_thread(
        self, thread: int, limit: int, after: str | None
    ) -> ViewPage[PostView]:
        """The posts of a thread, oldest first; none for a missing thread."""
        version = await self._activity.version(thread)  # before the posts, which may be newer
        page = replace(_views(await self._lists.in_thread(thread, limit, after)), version=version)
        if after is None:
            return page
        return replace(page, previous=await self._lists.before_in_thread(thread, after, limit))

    async def posts_from(self, thread: int, post: int, limit: int) -> ViewPage[PostView]:
        """The posts of a thread, oldest first, beginning with this one, or shortly before it."""
        start = await self._lists.cursor_before(thread, post)
        return await self.posts_in_thread(thread, limit, start)

    async def newest_in_thread(self, thread: int, limit: int) -> Sequence[PostView]:
        """The newest posts of a thread, the newest first."""
        return [_view(post) for post in await self._lists.newest_in_thread(thread, limit)]

    async def posts_by_user(self, user: int, limit: int, after: str | None) -> ViewPage[PostView]:
        """The posts of a user, the newest first; none for a missing user."""
        page = _views(await self._lists.by_user(user, limit, after))
        if after is None:
            return page
        return replace(page, previous=await self._lists.before_by_user(user, after, limit))

    async def newest_posts(self, limit: int) -> Sequence[PostView]:
        """Posts of all threads, the newest first."""
        return _views(await self._lists.newest(limit, None)).items

    async def search_posts(self, words: str, after: str | None) -> ViewPage[FoundPostView]:
        """At most twenty posts that match the words, the newest first."""
        page = await self._service.search(words, _FOUND, after)
        found = [FoundPostView(_view(hit.post), hit.snippet) for hit in page.items]
        return ViewPage(found, page.next_cursor)


def _views(page: Page[Post]) -> ViewPage[PostView]:
    return ViewPage([_view(post) for post in page.items], page.next_cursor)


def _view(post: Post) -> PostView:
    return PostView(
        post.id,
        post.thread,
        post.user,
        post.html,
        post.reply_to,
        post.created_at,
        post.edited_at,
        post.edited_by,
    )
