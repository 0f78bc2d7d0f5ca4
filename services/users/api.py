"""Users over HTTP: operations on the caller's own account. Those on others are in
`moderation_api`."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response

from kernel.cache.changes import Changes
from kernel.contracts import Actor, KeyedAct, Moderator, UserView
from kernel.errors import (
    Banned,
    Conflict,
    Forbidden,
    Gone,
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
from kernel.http.addresses.client import ClientAddresses
from kernel.http.auth import PERSONAL, ServiceToken, SessionCookie
from kernel.http.conditional.preconditions import IfMatch
from kernel.http.conditional.response_cache import depends_on, shared
from kernel.http.conditional.revalidation import entity_tag
from kernel.http.encoder import RowEncoder, json_response
from kernel.http.fields import Id, Prose, Words
from kernel.http.input.json_route import JsonRoute
from kernel.http.operations import refuse_forwarded
from kernel.http.paging import LARGEST_PAGE, After, Limit, link_next
from kernel.http.problems import documented
from kernel.moderation.api import router as log_router
from kernel.moderation.log import ModerationLog
from kernel.process.settings import Network
from services.users import model, moderation_api
from services.users.bodies import (
    Leaving,
    Me,
    PasswordChange,
    Profile,
    Registration,
    ResetPassword,
    Session,
    SignIn,
    StartedSession,
    User,
)
from services.users.moderation import Moderation
from services.users.service import UserService

DESCRIPTION = "People, and the sessions in which they are signed in."

_LIST = documented(MalformedRequest, Invalid, Unavailable)
_BODY = (MalformedRequest, Forbidden, TooLarge, UnsupportedMediaType, Invalid, Unavailable)

IfUnchanged = Annotated[IfMatch, Depends(IfMatch.of)]


_USER = RowEncoder(User, model.User._fields)


def router(
    service: UserService,
    moderation: Moderation,
    log: ModerationLog,
    export: Export,
    cookie: SessionCookie,
    load_balancers: Sequence[Network],
    changes: Changes,
) -> APIRouter:
    """The operations under `/api/users` and `/api/sessions`. `load_balancers` are the networks
    whose `X-Forwarded-For` is trusted; `changes` are those of users."""
    routes = APIRouter(route_class=JsonRoute, tags=["users"])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    addresses = ClientAddresses(load_balancers)

    async def client(request: Request) -> str:
        return addresses.of(request.scope)

    Address = Annotated[str, Depends(client)]  # noqa: N806

    @routes.post(
        "/api/users",
        status_code=201,
        response_model=Me,
        responses=documented(*_BODY, Conflict),
    )
    async def register(new: Registration, response: Response, address: Address) -> Me:
        user = await service.register(
            model.NewUser(new.username, new.password, new.name or new.username, new.bio, new.email),
            address,
        )
        response.headers["Location"] = f"/api/users/{user.id}"
        return _me(user)

    @routes.get("/api/users", response_model=list[User], responses=_LIST)
    @shared
    async def list_users(
        request: Request,
        limit: Limit = 20,
        after: After = None,
        id: Annotated[list[Id] | None, Query(max_length=LARGEST_PAGE)] = None,  # noqa: A002
        username: Annotated[Prose | None, Query(max_length=100)] = None,
    ) -> Response:
        depends_on(request.scope, changes, "list")
        if username is not None:
            named = await service.named(username)
            found = [named] if named is not None and (id is None or named.id in id) else []
            return json_response(_USER.many(found))
        if id is not None:
            all_of_them = "limit" not in request.query_params
            page = await service.find_many(id, LARGEST_PAGE if all_of_them else limit, after)
        else:
            page = await service.list(limit, after)
        response = json_response(_USER.many(page.items))
        link_next(request, response, page)
        return response

    @routes.get("/api/users/search", response_model=list[User], responses=_LIST)
    async def search_users(q: Words, limit: Limit = 20) -> Sequence[model.User]:
        return await service.search(q, limit)

    @routes.get(
        "/api/users/me",
        response_model=Me,
        responses=documented(Unauthenticated, Unavailable),
        dependencies=[PERSONAL],
    )
    async def show_me(token: Token) -> Me:
        account = await service.me(token)
        return _me(account.user, account.ban)

    @routes.patch(
        "/api/users/me",
        response_model=Me,
        responses=documented(*_BODY, Unauthenticated, Banned, Stale, PreconditionRequired),
        dependencies=[PERSONAL],
    )
    async def edit_me(profile: Profile, token: Token, seen: IfUnchanged, response: Response) -> Me:
        user = await service.edit(token, profile.changes(), lambda now: seen.check(_shown(now)))
        response.headers["ETag"] = entity_tag(_shown(user))
        return _me(user)

    @routes.put(
        "/api/users/me/password",
        status_code=204,
        response_class=Response,
        responses=documented(*_BODY, Unauthenticated, Banned),
        dependencies=[PERSONAL],
    )
    async def change_password(change: PasswordChange, token: Token, address: Address) -> None:
        await service.change_password(token, change.current, change.new, address)

    @routes.delete(
        "/api/users/me",
        status_code=204,
        response_class=Response,
        responses=documented(*_BODY, Unauthenticated, Conflict),
        dependencies=[PERSONAL],
    )
    async def leave(leaving: Leaving, token: Token, address: Address, response: Response) -> None:
        await service.leave(token, leaving.password, address)
        cookie.clear(response)

    @routes.post(
        "/api/users/password-resets",
        status_code=204,
        response_class=Response,
        responses=documented(*_BODY, NotFound),
        dependencies=[PERSONAL],
    )
    async def reset_password(reset: ResetPassword) -> None:
        await service.reset_password(reset.token, reset.password)

    @routes.post("/api/users/password-resets/{token}", include_in_schema=False)
    async def refuse_token_in_path(token: str) -> None:  # noqa: ARG001 - to be forgotten
        raise Gone("Paths are written to logs. Send the token in the body, to the path before it.")

    @routes.get("/api/users/{id}", response_model=User, responses=documented(NotFound, Unavailable))
    @shared
    async def show_user(id: Id, request: Request) -> Response:  # noqa: A002 - the path's word
        depends_on(request.scope, changes, f"user/{id}")
        return json_response(_USER.one(await service.find(id)))

    @routes.post(
        "/api/sessions",
        status_code=201,
        response_model=StartedSession,
        responses=documented(*_BODY, Unauthenticated),
        dependencies=[PERSONAL],
        openapi_extra={"security": []},
    )
    async def sign_in(
        who: SignIn,
        response: Response,
        address: Address,
        user_agent: Annotated[str | None, Header(include_in_schema=False)] = None,
    ) -> StartedSession:
        session = await service.sign_in(who.username, who.password, address, user_agent)
        cookie.put(response, session.token, max_age=int(model.SESSION_LIFETIME.total_seconds()))
        me = _me(session.account.user, session.account.ban)
        return StartedSession(token=session.token, expires_at=session.expires_at, user=me)

    @routes.get(
        "/api/sessions",
        response_model=list[Session],
        responses=documented(Unauthenticated, MalformedRequest, Invalid, Unavailable),
        dependencies=[PERSONAL],
    )
    async def list_sessions(
        token: Token,
        request: Request,
        response: Response,
        limit: Limit = 20,
        after: After = None,
    ) -> Sequence[model.Session]:
        page = await service.sessions(token, limit, after)
        link_next(request, response, page)
        return page.items

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

    @routes.delete(
        "/api/sessions/{id}",
        status_code=204,
        response_class=Response,
        responses=documented(Unauthenticated, Forbidden, Banned, NotFound, Unavailable),
        dependencies=[PERSONAL],
    )
    async def end_session(id: Id, token: Token) -> None:  # noqa: A002 - the path's word
        await service.end_session(token, id)

    routes.include_router(moderation_api.router(moderation, cookie))
    routes.include_router(log_router("users", log, cookie))
    routes.include_router(export_router("users", export, cookie))
    return routes


def internal_router(
    service: UserService,
    moderation: Moderation,
    service_token: ServiceToken,
) -> APIRouter:
    """The operations for other services: `kernel.contracts.Users`, `UserModeration` and
    `UserReader`."""
    routes = APIRouter(
        prefix="/internal/users",
        route_class=JsonRoute,
        include_in_schema=False,
        dependencies=[Depends(refuse_forwarded), Depends(service_token)],
    )

    @routes.post("/authenticate")
    async def authenticate(token: Annotated[str, Body()]) -> Actor:
        return await service.authenticate(token)

    @routes.get("/moderators")
    async def moderators() -> Sequence[Moderator]:
        return await moderation.moderators()

    @routes.post("/departed")
    async def departed(users: list[int]) -> Sequence[int]:
        return await moderation.departed(users)

    @routes.put("/{id}/ban")
    async def ban_user(id: Id, act: KeyedAct) -> None:  # noqa: A002 - the path's word
        await moderation.ban_user(id, act.moderator, act.reason, act.key)

    @routes.get("/views")
    async def users(
        id: Annotated[list[Id], Query(max_length=LARGEST_PAGE)],  # noqa: A002
    ) -> Sequence[UserView]:
        return await service.users(id)

    @routes.get("/views/search")
    async def search(q: Words) -> Sequence[UserView]:
        return await service.search_users(q)

    @routes.get("/views/{id}")
    async def user(id: Id) -> UserView:  # noqa: A002
        return await service.user(id)

    return routes


def _me(user: model.User, ban: model.Ban | None = None) -> Me:
    return Me.model_validate({**user._asdict(), "ban": ban})


def _shown(user: model.User) -> bytes:
    # Only people who are not banned change their profile.
    return _me(user).model_dump_json().encode()
