"""What everybody sees of threads, for the page."""

from collections.abc import Sequence
from typing import Protocol

from kernel.contracts import Order, ThreadChange, ThreadView, ViewPage
from kernel.errors import Gone, NotFound
from services.threads.model import Thread
from services.threads.service import ThreadService

_MOST = 100
_FOUND = 10


class Store(Protocol):
    """What `Views` needs of its store; `services.threads.store.ThreadStore` has it in
    PostgreSQL."""

    async def was_removed(self, thread: int) -> bool: ...

    async def before(
        self, order: Order, created_by: int | None, after: str, limit: int
    ) -> str | None: ...

    async def changes(self, first: int, last: int) -> Sequence[ThreadChange]: ...


class Views:
    """Implements `kernel.contracts.ThreadReader` in process."""

    def __init__(self, service: ThreadService, store: Store) -> None:
        self._service = service
        self._store = store

    async def thread(self, thread: int) -> ThreadView:
        """The thread. Raises `NotFound`, and `Gone` for a removed thread."""
        try:
            return _view(await self._service.show(thread))
        except NotFound as missing:
            if await self._store.was_removed(thread):
                raise Gone("This thread has been removed.") from missing
            raise

    async def threads(
        self, order: Order, created_by: int | None, limit: int, after: str | None
    ) -> ViewPage[ThreadView]:
        """A page of threads, or of one user's threads."""
        page = await self._service.list(order, created_by, limit, after)
        previous = (
            None if after is None else await self._store.before(order, created_by, after, limit)
        )
        return ViewPage([_view(thread) for thread in page.items], page.next_cursor, previous)

    async def threads_by_id(self, threads: Sequence[int]) -> Sequence[ThreadView]:
        """Those of at most 100 threads that exist, the newest first."""
        page = await self._service.find_many(threads, _MOST, None)
        return [_view(thread) for thread in page.items]

    async def search_threads(self, words: str) -> Sequence[ThreadView]:
        """The ten newest threads whose titles match the words."""
        page = await self._service.search(words, _FOUND, None)
        return [_view(thread) for thread in page.items]

    async def thread_changes(self, first: int, last: int) -> Sequence[ThreadChange]:
        """When something last happened in each thread with an id from `first` to `last`."""
        return await self._store.changes(first, last)


def _view(thread: Thread) -> ThreadView:
    return ThreadView(
        thread.id,
        thread.title,
        thread.created_by,
        thread.created_at,
        thread.edited_at,
        thread.post_count,
        thread.last_post_at,
        thread.locked,
        thread.pinned,
        thread.last_post_by,
    )
