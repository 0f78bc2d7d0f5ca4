"""The bodies of requests and responses about read positions."""

from typing import Annotated

from pydantic import Field

from kernel.http.fields import Id, RequestBody, Resource
from kernel.http.paging import LARGEST_PAGE


class NewReadPosition(RequestBody):
    """The highest post of a thread that was read."""

    thread: Id
    post: Id


class NewReadPositions(RequestBody):
    """How far some threads were read. A post that does not exist stands for the one before it."""

    positions: Annotated[list[NewReadPosition], Field(max_length=LARGEST_PAGE)]


class ReadPosition(Resource):
    """The highest post of a thread that was read."""

    thread: Id
    post: Id


class ReadPositions(Resource):
    """What is stored of a reader. Posts with ids up to `readUpTo` count as read in all other
    threads; null: nothing was recorded yet."""

    read_up_to: Annotated[int, Field(ge=0)] | None
    positions: list[ReadPosition]


class Unread(Resource):
    """What is unread in a thread: `count` posts of others, at most 100, from `first` on. Posts with
    ids up to `readUpTo` count as read; null: nothing was recorded yet, so nothing is unread."""

    thread: Id
    read_up_to: Annotated[int, Field(ge=0)] | None
    count: int
    first: Id | None
