"""Users over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from pydantic import Field

from kernel.auth import PERSONAL, ServiceToken, SessionCookie
from kernel.contracts import Actor, Role
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
from kernel.fields import Id, Line, Prose, RequestBody, Resource, Timestamp
from kernel.operations import refuse_forwarded
from kernel.pages import LARGEST_PAGE, After, Limit, link_next
from kernel.problems import documented
from kernel.web import JsonRoute
from services.users import model
from services.users.passwords import LONGEST, SHORTEST
from services.users.service import UserService

DESCRIPTION = "People, and the sessions in which they are signed in."

_LIST = documented(MalformedRequest, Invalid, Unavailable)
_BODY = (MalformedRequest, Forbidden, TooLarge, UnsupportedMediaType, Invalid, Unavailable)

Username = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{2,20}$", examples=["ines"])]


class User(Resource):
    """A person, as everybody sees them."""

    id: Id
    username: str
    name: str
    bio: str
    role: Role
    created_at: Timestamp


class Me(User):
    """A person, as they see themselves."""

    email: str | None


class Registration(RequestBody):
    """What it takes to become a user. The name to show is the username unless there is one."""

    username: Username
    password: Annotated[
        str, Field(min_length=SHORTEST, max_length=LONGEST, examples=["seven quiet herons"])
    ]
    name: Annotated[Line, Field(min_length=1, max_length=60)] | None = None
    bio: Annotated[Prose, Field(max_length=500)] = ""
    email: Annotated[Line, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None


class SignIn(RequestBody):
    """A name and a password."""

    username: Annotated[Prose, Field(max_length=100, examples=["ines"])]
    password: Annotated[str, Field(max_length=1000, examples=["seven quiet herons"])]


class Session(Resource):
    """A session that has just begun. The token is shown this once."""

    token: str
    expires_at: Timestamp
    user: Me


def router(service: UserService, cookie: SessionCookie) -> APIRouter:
    """The operations under `/api/users` and `/api/sessions`."""
    routes = APIRouter(route_class=JsonRoute, tags=["users"])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.post(
        "/api/users",
        status_code=201,
        response_model=Me,
        responses=documented(*_BODY, Conflict),
    )
    async def register(new: Registration, response: Response) -> model.User:
        user = await service.register(
            model.NewUser(new.username, new.password, new.name or new.username, new.bio, new.email)
        )
        response.headers["Location"] = f"/api/users/{user.id}"
        return user

    @routes.get("/api/users", response_model=list[User], responses=_LIST)
    async def list_users(
        request: Request,
        response: Response,
        limit: Limit = 20,
        after: After = None,
        id: Annotated[list[Id] | None, Query(max_length=LARGEST_PAGE)] = None,  # noqa: A002
        username: Annotated[Prose | None, Query(max_length=100)] = None,
    ) -> Sequence[model.User]:
        if username is not None:
            named = await service.named(username)
            return [named] if named is not None and (id is None or named.id in id) else []
        if id is not None:
            return await service.find_many(id)
        page = await service.list(limit, after)
        link_next(request, response, page)
        return page.items

    @routes.get(
        "/api/users/me",
        response_model=Me,
        responses=documented(Unauthenticated, NotFound, Unavailable),
        dependencies=[PERSONAL],
    )
    async def show_me(token: Token) -> model.User:
        return await service.me(token)

    @routes.get("/api/users/{id}", response_model=User, responses=documented(NotFound, Unavailable))
    async def show_user(id: Id) -> model.User:  # noqa: A002 - the path's word
        return await service.find(id)

    @routes.post(
        "/api/sessions",
        status_code=201,
        response_model=Session,
        responses=documented(*_BODY, Unauthenticated),
        dependencies=[PERSONAL],
    )
    async def sign_in(
        who: SignIn,
        response: Response,
        user_agent: Annotated[str | None, Header(include_in_schema=False)] = None,
    ) -> model.Session:
        session = await service.sign_in(who.username, who.password, user_agent)
        cookie.put(response, session.token, max_age=int(model.SESSION_LIFETIME.total_seconds()))
        return session

    @routes.delete(
        "/api/sessions/current",
        status_code=204,
        response_class=Response,
        responses=documented(Unauthenticated, Forbidden, Unavailable),
        dependencies=[PERSONAL],
    )
    async def sign_out(token: Token, response: Response) -> None:
        await service.sign_out(token)
        cookie.clear(response)

    return routes


def internal_router(service: UserService, service_token: ServiceToken) -> APIRouter:
    """What other services ask: `kernel.contracts.Users` over HTTP."""
    routes = APIRouter(
        prefix="/internal/users",
        route_class=JsonRoute,
        include_in_schema=False,
        dependencies=[Depends(refuse_forwarded), Depends(service_token)],
    )

    @routes.post("/authenticate")
    async def authenticate(token: Annotated[str, Body()]) -> Actor:
        return await service.authenticate(token)

    return routes
