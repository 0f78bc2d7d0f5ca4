"""Threads over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from kernel.cache.changes import Changes
from kernel.contracts import (
    Activity,
    KeyedAct,
    Order,
    Removals,
    ThreadChange,
    ThreadRef,
    ThreadView,
    ViewPage,
)
from kernel.data.database import LARGEST_ID
from kernel.data.idempotency import ReplayableResponse
from kernel.data.paging import Page
from kernel.errors import (
    Banned,
    Conflict,
    Forbidden,
    Invalid,
    MalformedRequest,
    NotFound,
    Stale,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from kernel.export.api import router as export_router
from kernel.export.export import Export
from kernel.http.auth import ServiceToken, SessionCookie
from kernel.http.conditional.response_cache import depends_on, shared
from kernel.http.encoder import RowEncoder, json_response
from kernel.http.fields import Id, Line, RequestBody, Resource, Timestamp, Words
from kernel.http.idempotency import Idempotent, to_response
from kernel.http.input.json_route import JsonRoute
from kernel.http.operations import refuse_forwarded
from kernel.http.paging import LARGEST_PAGE, After, Limit, link_next
from kernel.http.problems import documented
from kernel.moderation.api import router as log_router
from kernel.moderation.log import ModerationLog
from services.threads import model, moderation_api
from services.threads.moderation import Moderation
from services.threads.service import ThreadService
from services.threads.views import Views

DESCRIPTION = "Threads, and the activity in them."

_LIST = documented(MalformedRequest, Invalid, Unavailable)
_WHO = (Unauthenticated, Forbidden, Banned, Unavailable)
_CHANGE = documented(*_WHO, NotFound)
_BODY = (*_WHO, MalformedRequest, TooLarge, UnsupportedMediaType, Invalid)


Title = Annotated[Line, Field(min_length=3, max_length=200, examples=["Bread that will not rise"])]


class Thread(Resource):
    """A thread. `version` counts changes of the thread itself; its counters follow its posts within
    seconds. `lastPostBy` is null also if the last post is older than this field."""

    id: Id
    title: str
    created_by: Id
    created_at: Timestamp
    edited_at: Timestamp | None
    version: int
    post_count: int
    last_post_at: Timestamp | None
    last_post_by: Id | None
    locked: bool
    pinned: bool


class NewThread(RequestBody):
    """A new thread."""

    title: Title


class ThreadChanges(RequestBody):
    """A new title, and the version of the thread that the client has read."""

    title: Title
    version: Annotated[int, Field(ge=1, le=LARGEST_ID)]


_THREAD = RowEncoder(Thread, model.Thread._fields)


def router(
    service: ThreadService,
    moderation: Moderation,
    log: ModerationLog,
    export: Export,
    cookie: SessionCookie,
    changes: Changes,
) -> APIRouter:
    """The operations under `/api/threads`. `changes` are those of threads."""
    routes = APIRouter(route_class=JsonRoute, tags=["threads"])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.get("/api/threads", response_model=list[Thread], responses=_LIST)
    @shared
    async def list_threads(
        request: Request,
        order: Order = "active",
        created_by: Annotated[Id | None, Query(alias="createdBy")] = None,
        limit: Limit = 20,
        after: After = None,
        id: Annotated[list[Id] | None, Query(max_length=LARGEST_PAGE)] = None,  # noqa: A002
    ) -> Response:
        depends_on(request.scope, changes, "list")
        if id is not None:
            all_of_them = "limit" not in request.query_params
            page = await service.find_many(id, LARGEST_PAGE if all_of_them else limit, after)
        else:
            page = await service.list(order, created_by, limit, after)
        return _listed(request, page)

    @routes.get("/api/threads/search", response_model=list[Thread], responses=_LIST)
    async def search_threads(
        q: Words, request: Request, limit: Limit = 20, after: After = None
    ) -> Response:
        return _listed(request, await service.search(q, limit, after))

    @routes.post(
        "/api/threads",
        status_code=201,
        response_model=Thread,
        responses=documented(*_BODY, Conflict),
    )
    async def start_thread(new: NewThread, token: Token, idempotent: Idempotent) -> Response:
        thread = await service.start(token, new.title, idempotent.write(_created))
        return to_response(_created(thread))

    @routes.get(
        "/api/threads/{id}", response_model=Thread, responses=documented(NotFound, Unavailable)
    )
    @shared
    async def show_thread(id: Id, request: Request) -> Response:  # noqa: A002 - the path's word
        depends_on(request.scope, changes, f"thread/{id}")
        return json_response(_THREAD.one(await service.show(id)))

    @routes.patch(
        "/api/threads/{id}",
        response_model=Thread,
        responses=documented(*_BODY, NotFound, Stale),
    )
    async def edit_thread(
        id: Id,  # noqa: A002
        changes: ThreadChanges,
        token: Token,
    ) -> model.Thread:
        return await service.edit(token, id, changes.title, changes.version)

    @routes.delete("/api/threads/{id}", status_code=204, response_class=Response, responses=_CHANGE)
    async def remove_thread(id: Id, token: Token) -> None:  # noqa: A002
        await service.remove(token, id)

    routes.include_router(moderation_api.router(moderation, cookie))
    routes.include_router(log_router("threads", log, cookie))
    routes.include_router(export_router("threads", export, cookie))
    return routes


def _listed(request: Request, page: Page[model.Thread]) -> Response:
    response = json_response(_THREAD.many(page.items))
    link_next(request, response, page)
    return response


def _created(thread: model.Thread) -> ReplayableResponse:
    body = _THREAD.one(thread)
    return ReplayableResponse(201, {"Location": f"/api/threads/{thread.id}"}, body)


def internal_router(
    service: ThreadService,
    moderation: Moderation,
    views: Views,
    service_token: ServiceToken,
) -> APIRouter:
    """The operations for other services: `kernel.contracts.Threads`, `ThreadModeration` and
    `ThreadReader`."""
    routes = APIRouter(
        prefix="/internal/threads",
        route_class=JsonRoute,
        include_in_schema=False,
        dependencies=[Depends(refuse_forwarded), Depends(service_token)],
    )

    @routes.put("/activity")
    async def record_activity(activities: list[Activity]) -> None:
        await service.record_activity(activities)

    @routes.get("/removed")
    async def removed(
        after: Annotated[int, Query(ge=0)], patience: Annotated[float, Query(ge=0)] = 0
    ) -> Removals:
        return await service.removed(after, patience)

    @routes.get("/{id}")
    async def find(id: Id) -> ThreadRef:  # noqa: A002 - the path's word
        return await service.find(id)

    @routes.put("/{id}/lock")
    async def lock_thread(id: Id, act: KeyedAct) -> None:  # noqa: A002
        await moderation.lock_thread(id, act.moderator, act.reason, act.key)

    @routes.get("/views")
    async def threads(
        order: Order = "active",
        created_by: Id | None = None,
        limit: Limit = 20,
        after: After = None,
    ) -> ViewPage[ThreadView]:
        return await views.threads(order, created_by, limit, after)

    @routes.get("/views/by-id")
    async def threads_by_id(
        id: Annotated[list[Id], Query(max_length=LARGEST_PAGE)],  # noqa: A002
    ) -> Sequence[ThreadView]:
        return await views.threads_by_id(id)

    @routes.get("/views/search")
    async def search(q: Words) -> Sequence[ThreadView]:
        return await views.search_threads(q)

    @routes.get("/views/changes")
    async def changes(first: Id, last: Id) -> Sequence[ThreadChange]:
        return await views.thread_changes(first, last)

    @routes.get("/views/{id}")
    async def thread(id: Id) -> ThreadView:  # noqa: A002
        return await views.thread(id)

    return routes
