"""Posts, as the page reads them over HTTP."""

from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter

from kernel.clients import ServiceClient
from kernel.contracts import FoundPostView, PostView, ViewPage
from kernel.readers.conditional import ConditionalReader

_POSTS: Final = TypeAdapter(Sequence[PostView])
_POST_PAGE: Final = TypeAdapter(ViewPage[PostView])
_FOUND_PAGE: Final = TypeAdapter(ViewPage[FoundPostView])


class HttpPostReader:
    """`kernel.contracts.PostReader` over HTTP."""

    def __init__(self, service: ServiceClient) -> None:
        self._reader = ConditionalReader(service)

    async def posts_in_thread(
        self, thread: int, limit: int, after: str | None
    ) -> ViewPage[PostView]:
        """The posts of a thread, oldest first. Raises `Unavailable`."""
        path = f"/internal/posts/views/in-thread/{thread}"
        return await self._reader.read(path, _POST_PAGE, [("limit", limit), ("after", after)])

    async def posts_from(self, thread: int, post: int, limit: int) -> ViewPage[PostView]:
        """The posts of a thread from this one, or shortly before it, on. Raises `Unavailable`."""
        path = f"/internal/posts/views/in-thread/{thread}/from/{post}"
        return await self._reader.read(path, _POST_PAGE, [("limit", limit)])

    async def newest_in_thread(self, thread: int, limit: int) -> Sequence[PostView]:
        """The newest posts of a thread, the newest first. Raises `Unavailable`."""
        path = f"/internal/posts/views/in-thread/{thread}/newest"
        return await self._reader.read(path, _POSTS, [("limit", limit)])

    async def posts_by_user(self, user: int, limit: int, after: str | None) -> ViewPage[PostView]:
        """The posts of a user, the newest first. Raises `Unavailable`."""
        path = f"/internal/posts/views/by-user/{user}"
        return await self._reader.read(path, _POST_PAGE, [("limit", limit), ("after", after)])

    async def newest_posts(self, limit: int) -> Sequence[PostView]:
        """Posts of all threads, the newest first. Raises `Unavailable`."""
        return await self._reader.read("/internal/posts/views", _POSTS, [("limit", limit)])

    async def search_posts(self, words: str, after: str | None) -> ViewPage[FoundPostView]:
        """Posts that match the words, the newest first. Raises `Unavailable`."""
        query = [("q", words), ("after", after)]
        return await self._reader.read("/internal/posts/views/search", _FOUND_PAGE, query)
