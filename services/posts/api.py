"""Posts over HTTP."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from kernel.cache.changes import Changes
from kernel.contracts import FoundPostView, KeyedAct, PostView, ReportedPost, ViewPage
from kernel.data.database import LARGEST_ID
from kernel.data.idempotency import ReplayableResponse
from kernel.data.paging import Page
from kernel.errors import (
    Banned,
    Conflict,
    FieldError,
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
from kernel.http.auth import PERSONAL, ServiceToken, SessionCookie
from kernel.http.conditional.preconditions import IfMatch
from kernel.http.conditional.response_cache import depends_on, shared
from kernel.http.conditional.revalidation import entity_tag
from kernel.http.encoder import RowEncoder, json_response
from kernel.http.fields import Id, Words
from kernel.http.idempotency import Idempotent, to_response
from kernel.http.input.json_route import JsonRoute
from kernel.http.operations import refuse_forwarded
from kernel.http.paging import After, Limit, link_first, link_next
from kernel.http.problems import documented
from kernel.moderation.api import router as log_router
from kernel.moderation.log import ModerationLog
from services.posts import model, moderation_api
from services.posts.bodies import Draft, FoundPost, NewPost, Post, PostChanges, Preview, Revision
from services.posts.event_stream import EventStream
from services.posts.moderation import Moderation
from services.posts.reading import api as reading_api
from services.posts.reading.service import Reading
from services.posts.service import PostService
from services.posts.stream import Streams
from services.posts.views import Views

DESCRIPTION = "What people write in threads."

_LIST = documented(MalformedRequest, Invalid, Unavailable)
_LIST_OF = documented(MalformedRequest, NotFound, Invalid, Unavailable)
_WHO = (Unauthenticated, Forbidden, Banned, Unavailable)
_BODY = (*_WHO, MalformedRequest, NotFound, TooLarge, UnsupportedMediaType, Invalid)

IfUnchanged = Annotated[IfMatch, Depends(IfMatch.of)]

_STREAM = documented(MalformedRequest, NotFound, Invalid, Unavailable) | {
    200: {"description": "`post`, `edit` and `remove` as they happen.",
          "content": {"text/event-stream": {"schema": {"type": "string"}}}},
}  # fmt: skip


_POST = RowEncoder(Post, model.Post._fields)


class Lists(Protocol):
    """Pages of posts; `services.posts.stores.lists.PostLists` has them in PostgreSQL."""

    async def newest(self, limit: int, after: str | None) -> Page[model.JsonPost]: ...

    async def in_thread(
        self, thread: int, limit: int, after: str | None
    ) -> Page[model.JsonPost]: ...

    async def by_user(self, user: int, limit: int, after: str | None) -> Page[model.JsonPost]: ...

    async def cursor_before(self, thread: int, post: int) -> str | None: ...


def router(
    service: PostService,
    lists: Lists,
    moderation: Moderation,
    reading: Reading,
    log: ModerationLog,
    export: Export,
    streams: Streams,
    cookie: SessionCookie,
    changes: Changes,
) -> APIRouter:
    """The operations under `/api/posts`. `changes` are those of posts."""
    routes = APIRouter(route_class=JsonRoute, tags=["posts"])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.get("/api/posts", response_model=list[Post], responses=_LIST)
    @shared
    async def list_posts(request: Request, limit: Limit = 20, after: After = None) -> Response:
        depends_on(request.scope, changes, "newest")
        return _listed(request, await lists.newest(limit, after))

    @routes.get("/api/posts/in-thread/{thread}", response_model=list[Post], responses=_LIST_OF)
    @shared
    async def list_posts_in_thread(
        thread: Id,
        request: Request,
        limit: Limit = 20,
        after: After = None,
        around: Annotated[
            Id | None, Query(description="A post with which, or shortly before which, to begin.")
        ] = None,
    ) -> Response:
        depends_on(request.scope, changes, f"thread/{thread}")
        if around is None:
            return _listed(request, await lists.in_thread(thread, limit, after))
        if after is not None:
            raise Invalid(FieldError("?around", "Leave out either this or ?after=."))
        start = await lists.cursor_before(thread, around)
        response = _listed(request, await lists.in_thread(thread, limit, start))
        if start is not None:
            link_first(request, response)
        return response

    @routes.get(
        "/api/posts/in-thread/{thread}/stream",
        status_code=200,
        response_class=EventStream,
        responses=_STREAM,
    )
    async def stream_posts_in_thread(
        thread: Id,
        last_event_id: Annotated[
            int | None, Header(ge=0, le=LARGEST_ID, description="Where to go on from.")
        ] = None,
    ) -> EventStream:
        return EventStream(await streams.open(thread, last_event_id))

    @routes.get("/api/posts/by-user/{user}", response_model=list[Post], responses=_LIST_OF)
    @shared
    async def list_posts_by_user(
        user: Id, request: Request, limit: Limit = 20, after: After = None
    ) -> Response:
        depends_on(request.scope, changes, f"author/{user}", "authors")
        return _listed(request, await lists.by_user(user, limit, after))

    @routes.get("/api/posts/search", response_model=list[FoundPost], responses=_LIST)
    async def search_posts(
        q: Words, request: Request, response: Response, limit: Limit = 20, after: After = None
    ) -> Sequence[FoundPost]:
        page = await service.search(q, limit, after)
        link_next(request, response, page)
        return [_found(hit) for hit in page.items]

    @routes.post(
        "/api/posts",
        status_code=201,
        response_model=Post,
        responses=documented(*_BODY, Conflict),
    )
    async def write_post(new: NewPost, token: Token, idempotent: Idempotent) -> Response:
        write = idempotent.write(_created)
        post = await service.write(token, new.thread, new.text, new.reply_to, write)
        return to_response(_created(post))

    @routes.post(
        "/api/posts/preview",
        response_model=Preview,
        responses=documented(*_WHO, MalformedRequest, TooLarge, UnsupportedMediaType, Invalid),
        dependencies=[PERSONAL],
    )
    async def preview_post(draft: Draft, token: Token) -> Preview:
        return Preview(html=await service.preview(token, draft.text))

    @routes.get("/api/posts/{id}", response_model=Post, responses=documented(NotFound, Unavailable))
    @shared
    async def show_post(id: Id, request: Request) -> Response:  # noqa: A002 - the path's word
        post = await service.find(id)
        depends_on(request.scope, changes, f"thread/{post.thread}")
        return json_response(_POST.one(post))

    @routes.patch(
        "/api/posts/{id}",
        response_model=Post,
        responses=documented(*_BODY, Stale, PreconditionRequired),
    )
    async def edit_post(
        id: Id,  # noqa: A002
        changes: PostChanges,
        token: Token,
        seen: IfUnchanged,
        response: Response,
    ) -> model.Post:
        post = await service.edit(token, id, changes.text, lambda now: seen.check(_shown(now)))
        response.headers["ETag"] = entity_tag(_shown(post))
        return post

    @routes.get(
        "/api/posts/{id}/revisions",
        response_model=list[Revision],
        responses=documented(*_WHO, MalformedRequest, NotFound, Invalid),
        dependencies=[PERSONAL],
    )
    async def list_revisions(
        id: Id,  # noqa: A002
        token: Token,
        request: Request,
        response: Response,
        limit: Limit = 20,
        after: After = None,
    ) -> Sequence[model.Revision]:
        page = await service.revisions(token, id, limit, after)
        link_next(request, response, page)
        return page.items

    routes.include_router(moderation_api.router(moderation, cookie))
    routes.include_router(reading_api.router(reading, cookie))
    routes.include_router(log_router("posts", log, cookie))
    routes.include_router(export_router("posts", export, cookie))
    return routes


def internal_router(moderation: Moderation, views: Views, service_token: ServiceToken) -> APIRouter:
    """What other services call: `kernel.contracts.Posts` and `PostReader` over HTTP."""
    routes = APIRouter(
        prefix="/internal/posts",
        route_class=JsonRoute,
        include_in_schema=False,
        dependencies=[Depends(refuse_forwarded), Depends(service_token)],
    )

    @routes.get("/{id}")
    async def post_for_case(id: Id) -> ReportedPost:  # noqa: A002 - the path's word
        return await moderation.post_for_case(id)

    @routes.put("/{id}/removal")
    async def remove_post(id: Id, act: KeyedAct) -> None:  # noqa: A002
        await moderation.remove_post(id, act.moderator, act.reason, act.key)

    @routes.get("/views")
    async def newest_posts(limit: Limit = 20) -> Sequence[PostView]:
        return await views.newest_posts(limit)

    @routes.get("/views/in-thread/{thread}")
    async def posts_in_thread(
        thread: Id, limit: Limit = 20, after: After = None
    ) -> ViewPage[PostView]:
        return await views.posts_in_thread(thread, limit, after)

    @routes.get("/views/in-thread/{thread}/from/{post}")
    async def posts_from(thread: Id, post: Id, limit: Limit = 20) -> ViewPage[PostView]:
        return await views.posts_from(thread, post, limit)

    @routes.get("/views/in-thread/{thread}/newest")
    async def newest_in_thread(thread: Id, limit: Limit = 20) -> Sequence[PostView]:
        return await views.newest_in_thread(thread, limit)

    @routes.get("/views/by-user/{user}")
    async def posts_by_user(user: Id, limit: Limit = 20, after: After = None) -> ViewPage[PostView]:
        return await views.posts_by_user(user, limit, after)

    @routes.get("/views/search")
    async def search_posts(q: Words, after: After = None) -> ViewPage[FoundPostView]:
        return await views.search_posts(q, after)

    return routes


def encode_event(event: model.Event) -> bytes:
    """An event as a server-sent one (HTML standard, section 9.2). A post that has been removed
    since has nothing to show; its `remove` is still to come."""
    lines = [f"id: {event.version}"]
    if event.kind == "remove":
        lines += ["event: remove", f'data: {{"id":{event.post_id}}}']
    elif event.post is not None:
        lines += [f"event: {event.kind}", f"data: {_shown(event.post).decode()}"]
    return "\n".join([*lines, "", ""]).encode()


def _listed(request: Request, page: Page[model.JsonPost]) -> Response:
    response = json_response(b"[%b]" % b",".join([post.json for post in page.items]))
    link_next(request, response, page)
    return response


def _shown(post: model.Post) -> bytes:
    return _POST.one(post)


def _created(post: model.Post) -> ReplayableResponse:
    return ReplayableResponse(201, {"Location": f"/api/posts/{post.id}"}, _shown(post))


def _found(hit: model.Found) -> FoundPost:
    return FoundPost(
        **Post.model_validate(hit.post).model_dump(by_alias=False), snippet=hit.snippet
    )
