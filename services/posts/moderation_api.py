"""Removing and restoring posts over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from kernel.errors import (
    Banned,
    Conflict,
    Forbidden,
    Invalid,
    MalformedRequest,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from kernel.http.auth import PERSONAL, SessionCookie
from kernel.http.fields import Id
from kernel.http.input.json_route import JsonRoute
from kernel.http.paging import After, Limit, link_next
from kernel.http.problems import documented
from kernel.moderation.api import NO_REASON, ActReason
from services.posts import model
from services.posts.bodies import RemovedPost
from services.posts.moderation import Moderation

_WHO = (Unauthenticated, Forbidden, Banned, Unavailable)
_BODY = (MalformedRequest, TooLarge, UnsupportedMediaType, Invalid)


def router(moderation: Moderation, cookie: SessionCookie) -> APIRouter:
    """The operations that remove and restore posts."""
    routes = APIRouter(route_class=JsonRoute, tags=["moderation"])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.delete(
        "/api/posts/{id}",
        status_code=204,
        response_class=Response,
        responses=documented(*_WHO, NotFound),
        tags=["posts"],
    )
    async def remove_post(id: Id, token: Token) -> None:  # noqa: A002 - the path's word
        await moderation.remove(token, id)

    @routes.put(
        "/api/posts/{id}/removal",
        status_code=204,
        response_class=Response,
        responses=documented(*_WHO, *_BODY, NotFound),
    )
    async def remove_post_as_moderator(
        id: Id,  # noqa: A002
        token: Token,
        why: ActReason = NO_REASON,
    ) -> None:
        await moderation.remove_as_moderator(token, id, why.reason)

    @routes.delete(
        "/api/posts/{id}/removal",
        status_code=204,
        response_class=Response,
        responses=documented(*_WHO, NotFound, Conflict),
    )
    async def restore_post(id: Id, token: Token) -> None:  # noqa: A002
        await moderation.restore(token, id)

    @routes.get(
        "/api/posts/in-thread/{thread}/removed",
        response_model=list[RemovedPost],
        responses=documented(*_WHO, MalformedRequest, NotFound, Invalid),
        dependencies=[PERSONAL],
    )
    async def list_removed_posts_in_thread(
        thread: Id,
        token: Token,
        request: Request,
        response: Response,
        limit: Limit = 20,
        after: After = None,
    ) -> Sequence[model.RemovedPost]:
        page = await moderation.removed_in_thread(token, thread, limit, after)
        link_next(request, response, page)
        return page.items

    return routes
