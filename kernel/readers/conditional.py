"""Reads from a service by conditional calls.

A call sends the ETag of what the path showed before. If the service answers 304, the same object is
returned again, so that a caller can see by identity that nothing has changed.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from cachetools import LRUCache
from pydantic import TypeAdapter

from kernel.clients import CONTRACT_FAILURES, Known, ServiceClient
from kernel.errors import Gone, Invalid, MalformedRequest

MEMORY: Final = 16 * 1024 * 1024
"""About how many bytes a reader remembers of what its service has shown."""

_OBJECT_SIZE: Final = 3
"""About how many times as large as its JSON an object is in memory."""

_FAILURES: Final = (*CONTRACT_FAILURES, Gone, Invalid, MalformedRequest)

Result = TypeVar("Result")


class ConditionalReader:
    """Reads from one service, and remembers what it has shown in bounded memory: the least recently
    read is forgotten first."""

    def __init__(self, service: ServiceClient, memory: int = MEMORY) -> None:
        self._service = service
        self._known: LRUCache[str, Known[Any]] = LRUCache(
            memory, lambda known: _OBJECT_SIZE * known.size + 1000
        )

    async def read(
        self, path: str, result: TypeAdapter[Result], query: Sequence[tuple[str, object]] = ()
    ) -> Result:
        """What the path shows. Values of None in the query are left out. Raises what the
        contract's method raises, and `Unavailable`."""
        given = [(name, value) for name, value in query if value is not None]
        url = f"{path}?{urlencode(given)}" if given else path
        before: Known[Result] | None = self._known.get(url)
        known = await self._service.revalidate(url, result, before, _FAILURES)
        if known is not before and known.tag:
            self._remember(url, known)
        return known.value

    def _remember(self, url: str, known: Known[Any]) -> None:
        self._known.pop(url, None)
        if self._known.getsizeof(known) <= self._known.maxsize:
            self._known[url] = known
