"""Moderation over HTTP: roles, bans, and links for a new password."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from kernel.errors import (
    Banned,
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
from kernel.http.auth import PERSONAL, SessionCookie
from kernel.http.fields import Id
from kernel.http.input.json_route import JsonRoute
from kernel.http.problems import documented
from services.users import model
from services.users.bodies import BanState, NewBan, ResetLink, RoleChange, User
from services.users.moderation import Moderation

_WHO = (Unauthenticated, Forbidden, Banned, NotFound, Conflict, Unavailable)
_BODY = (*_WHO, MalformedRequest, TooLarge, UnsupportedMediaType, Invalid)


def router(moderation: Moderation, cookie: SessionCookie) -> APIRouter:
    """The operations on others under `/api/users/{id}`."""
    routes = APIRouter(route_class=JsonRoute, tags=["moderation"], dependencies=[PERSONAL])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.put("/api/users/{id}/role", response_model=User, responses=documented(*_BODY))
    async def set_role(id: Id, change: RoleChange, token: Token) -> model.User:  # noqa: A002
        return await moderation.set_role(token, id, change.role)

    @routes.get(
        "/api/users/{id}/ban",
        response_model=BanState,
        responses=documented(Unauthenticated, Forbidden, Banned, NotFound, Unavailable),
    )
    async def show_ban(id: Id, token: Token) -> BanState:  # noqa: A002
        ban = await moderation.ban_of(token, id)
        return BanState.model_validate({"ban": ban})

    @routes.put(
        "/api/users/{id}/ban",
        status_code=204,
        response_class=Response,
        responses=documented(*_BODY),
    )
    async def ban(id: Id, new: NewBan, token: Token) -> None:  # noqa: A002
        await moderation.ban(token, id, model.Ban(new.reason, new.until))

    @routes.delete(
        "/api/users/{id}/ban",
        status_code=204,
        response_class=Response,
        responses=documented(*_WHO),
    )
    async def lift_ban(id: Id, token: Token) -> None:  # noqa: A002
        await moderation.lift_ban(token, id)

    @routes.post(
        "/api/users/{id}/password-reset",
        status_code=201,
        response_model=ResetLink,
        responses=documented(*_WHO),
    )
    async def issue_reset(id: Id, token: Token) -> ResetLink:  # noqa: A002
        # No Idempotency-Key: its record would contain the link.
        issued = await moderation.issue_reset(token, id)
        return ResetLink(link=f"/password-resets#{issued.token}", expires_at=issued.expires_at)

    return routes
