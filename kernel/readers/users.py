"""Users, as the page reads them over HTTP."""

from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter

from kernel.clients import ServiceClient
from kernel.contracts import UserView
from kernel.readers.conditional import ConditionalReader

_USER: Final = TypeAdapter(UserView)
_USERS: Final = TypeAdapter(Sequence[UserView])


class HttpUserReader:
    """`kernel.contracts.UserReader` over HTTP."""

    def __init__(self, service: ServiceClient) -> None:
        self._reader = ConditionalReader(service)

    async def user(self, user: int) -> UserView:
        """The user. Raises `NotFound`, and `Unavailable`."""
        return await self._reader.read(f"/internal/users/views/{user}", _USER)

    async def users(self, users: Sequence[int]) -> Sequence[UserView]:
        """Those of at most 100 users that exist, by id. Raises `Unavailable`."""
        query = [("id", user) for user in users]
        return await self._reader.read("/internal/users/views", _USERS, query)

    async def search_users(self, words: str) -> Sequence[UserView]:
        """The first users whose usernames or names begin like this. Raises `Unavailable`."""
        return await self._reader.read("/internal/users/views/search", _USERS, [("q", words)])
