"""Threads over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from kernel.auth import ServiceToken, SessionCookie
from kernel.contracts import Activity, ThreadRef
from kernel.errors import (
    Forbidden,
    Invalid,
    MalformedRequest,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from kernel.fields import Id, Line, RequestBody, Resource, Timestamp
from kernel.operations import refuse_forwarded
from kernel.pages import After, Limit, link_next
from kernel.problems import documented
from kernel.web import JsonRoute
from services.threads import model
from services.threads.service import ThreadService

DESCRIPTION = "What is talked about, and how lively."

Title = Annotated[Line, Field(min_length=3, max_length=200, examples=["Bread that will not rise"])]


class Thread(Resource):
    """A thread. `version` counts its own changes; the counters follow its posts within seconds."""

    id: Id
    title: str
    created_by: Id
    created_at: Timestamp
    edited_at: Timestamp | None
    version: int
    post_count: int
    last_post_at: Timestamp | None
    locked: bool
    pinned: bool


class NewThread(RequestBody):
    """What it takes to start a thread."""

    title: Title


def router(service: ThreadService, cookie: SessionCookie) -> APIRouter:
    """The operations under `/api/threads`."""
    routes = APIRouter(route_class=JsonRoute, tags=["threads"])

    @routes.get(
        "/api/threads",
        response_model=list[Thread],
        responses=documented(MalformedRequest, Invalid, Unavailable),
    )
    async def list_threads(
        request: Request, response: Response, limit: Limit = 20, after: After = None
    ) -> Sequence[model.Thread]:
        page = await service.active(limit, after)
        link_next(request, response, page)
        return page.items

    @routes.post(
        "/api/threads",
        status_code=201,
        response_model=Thread,
        responses=documented(
            MalformedRequest, Unauthenticated, Forbidden, TooLarge, UnsupportedMediaType, Invalid,
            Unavailable,
        ),
    )  # fmt: skip
    async def start_thread(
        new: NewThread, token: Annotated[str, Depends(cookie.token)], response: Response
    ) -> model.Thread:
        thread = await service.start(token, new.title)
        response.headers["Location"] = f"/api/threads/{thread.id}"
        return thread

    @routes.get(
        "/api/threads/{id}", response_model=Thread, responses=documented(NotFound, Unavailable)
    )
    async def show_thread(id: Id) -> model.Thread:  # noqa: A002 - the path's word
        return await service.show(id)

    return routes


def internal_router(service: ThreadService, service_token: ServiceToken) -> APIRouter:
    """What other services ask and tell: `kernel.contracts.Threads` over HTTP."""
    routes = APIRouter(
        prefix="/internal/threads",
        route_class=JsonRoute,
        include_in_schema=False,
        dependencies=[Depends(refuse_forwarded), Depends(service_token)],
    )

    @routes.put("/activity")
    async def record_activity(activities: list[Activity]) -> None:
        await service.record_activity(activities)

    @routes.get("/{id}")
    async def find(id: Id) -> ThreadRef:  # noqa: A002 - the path's word
        return await service.find(id)

    return routes
