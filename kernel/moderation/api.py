"""The moderation log over HTTP: the same two operations in each context."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from kernel.errors import (
    Banned,
    Forbidden,
    Invalid,
    MalformedRequest,
    Unauthenticated,
    Unavailable,
)
from kernel.http.auth import PERSONAL, SessionCookie
from kernel.http.fields import Id, Reason, RequestBody, Resource, Timestamp
from kernel.http.input.json_route import JsonRoute
from kernel.http.paging import After, Limit, link_next
from kernel.http.problems import documented
from kernel.moderation import log as moderation_log

_LIST = (Unauthenticated, Banned, MalformedRequest, Invalid, Unavailable)

ActName = Annotated[str, Field(examples=["remove-post"])]


class ActReason(RequestBody):
    """Why a moderator does something, for the user it is done to."""

    reason: Reason | None = None


NO_REASON: Final = ActReason()
"""What an operation takes that was sent without a body."""


class Act(Resource):
    """What a moderator or an admin did. `target` is the id of the post, thread, user or case, as
    `act` says, and `about` the beginning of the post, the title, the username or the number of the
    case; `thread` is the thread of the post, or the target itself; `user` is the user it was done
    to."""

    id: Id
    at: Timestamp
    moderator: Id
    act: ActName
    target: Id
    thread: Id | None
    user: Id
    about: str | None
    reason: str | None


class Notice(Resource):
    """What a moderator or an admin did to the caller, or to what the caller wrote."""

    id: Id
    at: Timestamp
    act: ActName
    target: Id
    thread: Id | None
    about: str | None
    reason: str | None


def router(context: str, log: moderation_log.ModerationLog, cookie: SessionCookie) -> APIRouter:
    """`/api/CONTEXT/moderation-log` and `/api/CONTEXT/notices`."""
    routes = APIRouter(route_class=JsonRoute, tags=["moderation"], dependencies=[PERSONAL])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.get(
        f"/api/{context}/moderation-log",
        response_model=list[Act],
        responses=documented(*_LIST, Forbidden),
    )
    async def list_moderation_log(
        token: Token, request: Request, response: Response, limit: Limit = 20, after: After = None
    ) -> Sequence[moderation_log.Entry]:
        page = await log.acts(token, limit, after)
        link_next(request, response, page)
        return page.items

    @routes.get(
        f"/api/{context}/notices", response_model=list[Notice], responses=documented(*_LIST)
    )
    async def list_notices(
        token: Token, request: Request, response: Response, limit: Limit = 20, after: After = None
    ) -> Sequence[moderation_log.Notice]:
        page = await log.notices(token, limit, after)
        link_next(request, response, page)
        return page.items

    return routes
