"""Cases over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from kernel.errors import (
    Banned,
    Forbidden,
    Invalid,
    MalformedRequest,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from kernel.http.auth import SessionCookie
from kernel.http.fields import Id
from kernel.http.input.json_route import JsonRoute
from kernel.http.paging import After, Limit, link_next
from kernel.http.problems import documented
from services.cases import bodies, model
from services.cases.bodies import Case, Report
from services.cases.service import CaseService

DESCRIPTION = "Reports of posts, and what moderators decide about them."

_WHO = (Unauthenticated, Forbidden, Banned, Unavailable)


def router(service: CaseService, cookie: SessionCookie) -> APIRouter:
    """The operations under `/api/cases`."""
    routes = APIRouter(route_class=JsonRoute, tags=["cases"])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.get(
        "/api/cases",
        response_model=list[Case] | list[Report],
        responses=documented(*_WHO, MalformedRequest, Invalid),
    )
    async def list_cases(
        token: Token,
        request: Request,
        state: model.State | None = None,
        limit: Limit = 20,
        after: After = None,
    ) -> Response:
        moderates, page = await service.list(token, state, limit, after)
        response = bodies.personal(bodies.many(page.items, moderates))
        link_next(request, response, page)
        return response

    @routes.get(
        "/api/cases/{id}",
        response_model=Case | Report,
        responses=documented(*_WHO, NotFound),
    )
    async def show_case(id: Id, token: Token) -> Response:  # noqa: A002 - the path's word
        moderates, case = await service.show(token, id)
        return bodies.personal(bodies.one(case, moderates))

    return routes
