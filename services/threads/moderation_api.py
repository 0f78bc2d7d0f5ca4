"""Moderators' acts on threads, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from kernel.errors import (
    Banned,
    Forbidden,
    Invalid,
    MalformedRequest,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from kernel.http.auth import SessionCookie
from kernel.http.fields import Id
from kernel.http.input.json_route import JsonRoute
from kernel.http.problems import documented
from kernel.moderation.api import NO_REASON, ActReason
from services.threads.moderation import Moderation

_WHO = (Unauthenticated, Forbidden, Banned, NotFound, Unavailable)
_CHANGE = documented(*_WHO)
_WITH_REASON = documented(*_WHO, MalformedRequest, TooLarge, UnsupportedMediaType, Invalid)


def router(moderation: Moderation, cookie: SessionCookie) -> APIRouter:
    """The operations of moderators under `/api/threads/{id}`."""
    routes = APIRouter(route_class=JsonRoute, tags=["moderation"])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.put(
        "/api/threads/{id}/removal",
        status_code=204,
        response_class=Response,
        responses=_WITH_REASON,
    )
    async def remove_thread_as_moderator(
        id: Id,  # noqa: A002 - the path's word
        token: Token,
        why: ActReason = NO_REASON,
    ) -> None:
        await moderation.remove(token, id, why.reason)

    @routes.put(
        "/api/threads/{id}/lock", status_code=204, response_class=Response, responses=_WITH_REASON
    )
    async def lock_thread(id: Id, token: Token, why: ActReason = NO_REASON) -> None:  # noqa: A002
        await moderation.lock(token, id, why.reason)

    @routes.delete(
        "/api/threads/{id}/lock", status_code=204, response_class=Response, responses=_CHANGE
    )
    async def unlock_thread(id: Id, token: Token) -> None:  # noqa: A002
        await moderation.unlock(token, id)

    @routes.put(
        "/api/threads/{id}/pin", status_code=204, response_class=Response, responses=_CHANGE
    )
    async def pin_thread(id: Id, token: Token) -> None:  # noqa: A002
        await moderation.pin(token, id)

    @routes.delete(
        "/api/threads/{id}/pin", status_code=204, response_class=Response, responses=_CHANGE
    )
    async def unpin_thread(id: Id, token: Token) -> None:  # noqa: A002
        await moderation.unpin(token, id)

    return routes
