"""What the pages read, and from whom."""

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from kernel.cache.changes import Changes
from kernel.contracts import PostReader, ThreadReader, UserReader, UserView
from kernel.errors import Unavailable

LARGEST_CALL: Final = 100
"""The most users or threads that one call asks for."""

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Sources:
    """The contexts that the pages read. In the monolith, `changes` has the changes of each by its
    name, so that whole responses can be stored; between services it is empty."""

    users: UserReader
    threads: ThreadReader
    posts: PostReader
    changes: Mapping[str, Changes] = field(default_factory=dict)


class People(dict[int, UserView]):
    """Users by id; None for an id that is not among them."""

    def __missing__(self, user: int) -> None:
        return None


async def unless_down(reading: Awaitable[Read]) -> Read | None:
    """What was read, or None if the context is down. Raises other failures."""
    try:
        return await reading
    except Unavailable:
        return None


async def read_users(sources: Sources, ids: Iterable[int]) -> tuple[People, object]:
    """The users with these ids, at most 100 of them, in one call, and what the call returned: None
    if users is down."""
    wanted = sorted(set(ids))[:LARGEST_CALL]
    if not wanted:
        return People(), ()
    found = await unless_down(sources.users.users(wanted))
    return People({user.id: user for user in found or ()}), found
