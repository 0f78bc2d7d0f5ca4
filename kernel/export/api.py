"""`/api/CONTEXT/export`: the same operation in each context."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from pydantic.alias_generators import to_camel

from kernel.errors import Banned, Invalid, MalformedRequest, Unauthenticated, Unavailable
from kernel.export import export
from kernel.http.auth import PERSONAL, SessionCookie
from kernel.http.fields import Resource
from kernel.http.input.json_route import JsonRoute
from kernel.http.paging import After, Limit, link_next
from kernel.http.problems import documented


class StoredRow(Resource):
    """A row that is stored of the caller, in the table of that name."""

    table: Annotated[str, Field(examples=["posts"])]
    row: dict[str, object]


def router(context: str, own: export.Export, cookie: SessionCookie) -> APIRouter:
    """`/api/CONTEXT/export`."""
    routes = APIRouter(route_class=JsonRoute, tags=["export"], dependencies=[PERSONAL])
    Token = Annotated[str, Depends(cookie.token)]  # noqa: N806 - a type, made of an argument

    @routes.get(
        f"/api/{context}/export",
        response_model=list[StoredRow],
        responses=documented(Unauthenticated, Banned, MalformedRequest, Invalid, Unavailable),
    )
    async def export_own(
        token: Token, request: Request, response: Response, limit: Limit = 20, after: After = None
    ) -> Sequence[StoredRow]:
        page = await own.own(token, limit, after)
        link_next(request, response, page)
        return [
            StoredRow(
                table=to_camel(found.table),
                row={to_camel(name): value for name, value in found.row.items()},
            )
            for found in page.items
        ]

    return routes
