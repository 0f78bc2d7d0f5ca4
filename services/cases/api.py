"""Cases over HTTP."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from kernel.data.idempotency import ReplayableResponse
from kernel.errors import (
    Banned,
    Conflict,
    Forbidden,
    Invalid,
    MalformedRequest,
    NotFound,
    PreconditionRequired,
    Stale,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from kernel.export.api import router as export_router
from kernel.export.export import Export
from kernel.http.auth import PERSONAL, SessionCookie
from kernel.http.conditional.preconditions import IfMatch
from kernel.http.conditional.revalidation import entity_tag
from kernel.http.fields import Id
from kernel.http.idempotency import Idempotent, to_response
from kernel.http.input.json_route import JsonRoute
from kernel.http.paging import After, Limit, link_next
from kernel.http.problems import documented
from kernel.moderation.api import router as log_router
from kernel.moderation.log import ModerationLog
from services.cases import bodies, model
from services.cases.bodies import Case, Counts, NewDecision, NewReport, Report
from services.cases.service import CaseService

DESCRIPTION = "Reports of posts, and what moderators decide about them."

_WHO = (Unauthenticated, Forbidden, Banned, Unavailable)
_BODY = (*_WHO, MalformedRequest, NotFound, TooLarge, UnsupportedMediaType, Invalid, Conflict)

IfUnchanged = Annotated[IfMatch, Depends(IfMatch.of)]


def router(
    service: CaseService, log: ModerationLog, export: Export, cookie: SessionCookie
) -> APIRouter:
    """The operations under `/api/cases`."""
    routes = APIRouter(route_class=JsonRoute, tags=["cases"])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.post(
        "/api/cases",
        status_code=201,
        response_model=Report,
        responses=documented(*_BODY) | {200: {"model": Report, "description": "Joined"}},
    )
    async def report_post(new: NewReport, token: Token, idempotent: Idempotent) -> Response:
        write = idempotent.write(_reported)
        reported = await service.report(token, new.post, new.reason, new.note, write)
        return _private(to_response(_reported(reported)))

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
        response = _private(Response(bodies.many(page.items, moderates)))
        link_next(request, response, page)
        return response

    @routes.get(
        "/api/cases/counts",
        response_model=Counts,
        responses=documented(*_WHO),
        dependencies=[PERSONAL],
    )
    async def count_cases(token: Token) -> Mapping[model.State, int]:
        return await service.count(token)

    @routes.get(
        "/api/cases/{id}",
        response_model=Case | Report,
        responses=documented(*_WHO, NotFound),
    )
    async def show_case(id: Id, token: Token) -> Response:  # noqa: A002 - the path's word
        moderates, case = await service.show(token, id)
        return _private(Response(bodies.one(case, moderates)))

    @routes.put(
        "/api/cases/{id}/decision",
        response_model=Case,
        responses=documented(*_BODY, Stale, PreconditionRequired),
    )
    async def decide_case(
        id: Id,  # noqa: A002
        decision: NewDecision,
        token: Token,
        seen: IfUnchanged,
    ) -> Response:
        choice = model.Choice(decision.resolved, decision.action, decision.note)
        case = await service.decide(token, id, choice, lambda now: seen.check(_shown(now)))
        response = _private(Response(_shown(case)))
        response.headers["ETag"] = entity_tag(_shown(case))
        return response

    routes.include_router(log_router("cases", log, cookie))
    routes.include_router(export_router("cases", export, cookie))
    return routes


def _private(response: Response) -> Response:
    # Fields that a dependency sets are not on a response that the operation creates itself.
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Type"] = "application/json"
    return response


def _shown(case: model.Case) -> bytes:
    return bodies.one(case, moderates=True)


def _reported(reported: tuple[model.Case, bool]) -> ReplayableResponse:
    case, is_new = reported
    headers = {"Location": f"/api/cases/{case.id}"} if is_new else {}
    return ReplayableResponse(201 if is_new else 200, headers, bodies.one(case, moderates=False))
