"""Threads, as the page reads them over HTTP."""

from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter

from kernel.clients import ServiceClient
from kernel.contracts import Order, ThreadChange, ThreadView, ViewPage
from kernel.readers.conditional import ConditionalReader

_THREAD: Final = TypeAdapter(ThreadView)
_THREADS: Final = TypeAdapter(Sequence[ThreadView])
_THREAD_PAGE: Final = TypeAdapter(ViewPage[ThreadView])
_CHANGES: Final = TypeAdapter(Sequence[ThreadChange])


class HttpThreadReader:
    """`kernel.contracts.ThreadReader` over HTTP."""

    def __init__(self, service: ServiceClient) -> None:
        self._reader = ConditionalReader(service)

    async def thread(self, thread: int) -> ThreadView:
        """The thread. Raises `NotFound`, `Gone` for a removed thread, and `Unavailable`."""
        return await self._reader.read(f"/internal/threads/views/{thread}", _THREAD)

    async def threads(
        self, order: Order, created_by: int | None, limit: int, after: str | None
    ) -> ViewPage[ThreadView]:
        """A page of threads, or of one user's threads. Raises `Unavailable`."""
        query = [("order", order), ("created_by", created_by), ("limit", limit), ("after", after)]
        return await self._reader.read("/internal/threads/views", _THREAD_PAGE, query)

    async def threads_by_id(self, threads: Sequence[int]) -> Sequence[ThreadView]:
        """Those of at most 100 threads that exist. Raises `Unavailable`."""
        query = [("id", thread) for thread in threads]
        return await self._reader.read("/internal/threads/views/by-id", _THREADS, query)

    async def search_threads(self, words: str) -> Sequence[ThreadView]:
        """The newest threads whose titles match the words. Raises `Unavailable`."""
        return await self._reader.read("/internal/threads/views/search", _THREADS, [("q", words)])

    async def thread_changes(self, first: int, last: int) -> Sequence[ThreadChange]:
        """When something last happened in each of these threads. Raises `Unavailable`."""
        query = [("first", first), ("last", last)]
        return await self._reader.read("/internal/threads/views/changes", _CHANGES, query)
