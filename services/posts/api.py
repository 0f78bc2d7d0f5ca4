"""Posts over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import Field

from kernel.cache.changes import Changes
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
    PreconditionRequired,
    Stale,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from kernel.http.auth import PERSONAL, SessionCookie
from kernel.http.conditional.preconditions import IfMatch
from kernel.http.conditional.response_cache import depends_on, shared
from kernel.http.conditional.revalidation import entity_tag
from kernel.http.encoder import RowEncoder, json_response
from kernel.http.fields import Id, Markdown, RequestBody, Resource, Timestamp, Words
from kernel.http.idempotency import Idempotent, to_response
from kernel.http.input.json_route import JsonRoute
from kernel.http.paging import After, Limit, link_next
from kernel.http.problems import documented
from services.posts import model
from services.posts.event_stream import EventStream
from services.posts.service import PostService
from services.posts.stream import Streams

DESCRIPTION = "What people write in threads."

_LIST = documented(MalformedRequest, Invalid, Unavailable)
_LIST_OF = documented(MalformedRequest, NotFound, Invalid, Unavailable)
_WHO = (Unauthenticated, Forbidden, Banned, Unavailable)
_BODY = (*_WHO, MalformedRequest, NotFound, TooLarge, UnsupportedMediaType, Invalid)

_LARGEST_BODY = 512 * 1024  # 32,000 characters, all of them escaped

IfUnchanged = Annotated[IfMatch, Depends(IfMatch.of)]

Text = Annotated[
    Markdown,
    Field(min_length=1, max_length=model.LONGEST_TEXT, examples=["Is the water *warm* enough?"]),
]

_STREAM = documented(MalformedRequest, NotFound, Invalid, Unavailable) | {
    200: {"description": "`post`, `edit` and `remove` as they happen.",
          "content": {"text/event-stream": {"schema": {"type": "string"}}}},
}  # fmt: skip


class Post(Resource):
    """A post. `text` is the Markdown that was written, `html` the sanitised HTML made of it."""

    id: Id
    thread: Id
    user: Id
    text: str
    html: str
    reply_to: Id | None
    created_at: Timestamp
    edited_at: Timestamp | None


class FoundPost(Post):
    """A post that was searched for. `snippet` is HTML: a piece of the text, with what was found in
    `<mark>`."""

    snippet: str


class Revision(Resource):
    """What a post said once."""

    number: int
    text: str
    created_at: Timestamp


class NewPost(RequestBody):
    """What it takes to post. `replyTo` is a post of the same thread."""

    largest_body = _LARGEST_BODY
    thread: Id
    text: Text
    reply_to: Id | None = None


class PostChanges(RequestBody):
    """A new text."""

    largest_body = _LARGEST_BODY
    text: Text


class Draft(RequestBody):
    """Text that may become a post."""

    largest_body = _LARGEST_BODY
    text: Text


class Preview(Resource):
    """The HTML that a post with this text would have."""

    html: str


_POST = RowEncoder(Post, model.Post._fields)


def router(
    service: PostService, streams: Streams, cookie: SessionCookie, changes: Changes
) -> APIRouter:
    """The operations under `/api/posts`. `changes` are those of posts."""
    routes = APIRouter(route_class=JsonRoute, tags=["posts"])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.get("/api/posts", response_model=list[Post], responses=_LIST)
    @shared
    async def list_posts(request: Request, limit: Limit = 20, after: After = None) -> Response:
        depends_on(request.scope, changes, "newest")
        return _listed(request, await service.newest(limit, after))

    @routes.get("/api/posts/in-thread/{thread}", response_model=list[Post], responses=_LIST_OF)
    @shared
    async def list_posts_in_thread(
        thread: Id, request: Request, limit: Limit = 20, after: After = None
    ) -> Response:
        depends_on(request.scope, changes, f"thread/{thread}")
        return _listed(request, await service.in_thread(thread, limit, after))

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
        return _listed(request, await service.by_user(user, limit, after))

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

    @routes.delete(
        "/api/posts/{id}",
        status_code=204,
        response_class=Response,
        responses=documented(*_WHO, NotFound),
    )
    async def remove_post(id: Id, token: Token) -> None:  # noqa: A002
        await service.remove(token, id)

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


def _listed(request: Request, page: Page[model.Post]) -> Response:
    response = json_response(_POST.many(page.items))
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
