"""Read positions over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from kernel.errors import (
    Banned,
    Forbidden,
    Invalid,
    MalformedRequest,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from kernel.http.auth import PERSONAL, SessionCookie
from kernel.http.fields import Id
from kernel.http.input.json_route import JsonRoute
from kernel.http.paging import LARGEST_PAGE
from kernel.http.problems import documented
from services.posts import model
from services.posts.reading.bodies import NewReadPositions, ReadPositions, Unread
from services.posts.reading.service import Reading

_WHO = (Unauthenticated, Forbidden, Banned, Unavailable)


def router(reading: Reading, cookie: SessionCookie) -> APIRouter:
    """The operations on what the caller has read. No cache stores their responses."""
    routes = APIRouter(route_class=JsonRoute, tags=["reading"], dependencies=[PERSONAL])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.get(
        "/api/posts/unread", response_model=list[Unread], responses=documented(*_WHO, Invalid)
    )
    async def list_unread(
        token: Token,
        thread: Annotated[list[Id], Query(min_length=1, max_length=LARGEST_PAGE)],
    ) -> Sequence[model.Unread]:
        return await reading.unread(token, thread)

    @routes.get(
        "/api/posts/read-positions",
        response_model=ReadPositions,
        responses=documented(*_WHO),
    )
    async def list_read_positions(token: Token) -> model.ReadPositions:
        return await reading.positions(token)

    @routes.put(
        "/api/posts/read-positions",
        status_code=204,
        response_class=Response,
        responses=documented(*_WHO, MalformedRequest, TooLarge, UnsupportedMediaType, Invalid),
    )
    async def record_read_positions(new: NewReadPositions, token: Token) -> None:
        positions = [model.ReadPosition(each.thread, each.post) for each in new.positions]
        await reading.record(token, positions)

    @routes.put(
        "/api/posts/read-positions/all",
        status_code=204,
        response_class=Response,
        responses=documented(*_WHO),
    )
    async def mark_everything_read(token: Token) -> None:
        await reading.record_all(token)

    return routes
