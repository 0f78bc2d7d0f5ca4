"""Posts over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from kernel.auth import SessionCookie
from kernel.errors import (
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
from kernel.fields import Id, Markdown, RequestBody, Resource, Timestamp
from kernel.pages import After, Limit, link_next
from kernel.problems import documented
from kernel.web import JsonRoute
from services.posts import model
from services.posts.service import PostService

DESCRIPTION = "What people write in threads."

_LIST = documented(MalformedRequest, Invalid, Unavailable)
_LIST_OF = documented(MalformedRequest, NotFound, Invalid, Unavailable)

Text = Annotated[
    Markdown,
    Field(min_length=1, max_length=model.LONGEST_TEXT, examples=["Is the water *warm* enough?"]),
]


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


class NewPost(RequestBody):
    """What it takes to post."""

    thread: Id
    text: Text


def router(service: PostService, cookie: SessionCookie) -> APIRouter:
    """The operations under `/api/posts`."""
    routes = APIRouter(route_class=JsonRoute, tags=["posts"])

    @routes.get("/api/posts", response_model=list[Post], responses=_LIST)
    async def list_posts(
        request: Request, response: Response, limit: Limit = 20, after: After = None
    ) -> Sequence[model.Post]:
        page = await service.newest(limit, after)
        link_next(request, response, page)
        return page.items

    @routes.get("/api/posts/in-thread/{thread}", response_model=list[Post], responses=_LIST_OF)
    async def list_posts_in_thread(
        thread: Id, request: Request, response: Response, limit: Limit = 20, after: After = None
    ) -> Sequence[model.Post]:
        page = await service.in_thread(thread, limit, after)
        link_next(request, response, page)
        return page.items

    @routes.get("/api/posts/by-user/{user}", response_model=list[Post], responses=_LIST_OF)
    async def list_posts_by_user(
        user: Id, request: Request, response: Response, limit: Limit = 20, after: After = None
    ) -> Sequence[model.Post]:
        page = await service.by_user(user, limit, after)
        link_next(request, response, page)
        return page.items

    @routes.post(
        "/api/posts",
        status_code=201,
        response_model=Post,
        responses=documented(
            MalformedRequest, Unauthenticated, Forbidden, NotFound, Conflict, TooLarge,
            UnsupportedMediaType, Invalid, Unavailable,
        ),
    )  # fmt: skip
    async def write_post(
        new: NewPost, token: Annotated[str, Depends(cookie.token)], response: Response
    ) -> model.Post:
        post = await service.write(token, new.thread, new.text)
        response.headers["Location"] = f"/api/posts/{post.id}"
        return post

    @routes.get("/api/posts/{id}", response_model=Post, responses=documented(NotFound, Unavailable))
    async def show_post(id: Id) -> model.Post:  # noqa: A002 - the path's word
        return await service.find(id)

    return routes
