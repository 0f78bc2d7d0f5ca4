"""Simple reads are answered without FastAPI, exactly as with it."""

import asyncio
from collections.abc import Callable, MutableMapping
from inspect import signature
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import pytest
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from kernel.http.auth import SessionCookie
from kernel.http.fields import Id, RequestBody, Words
from kernel.http.input.json_route import JsonRoute
from kernel.http.input.plain_reads import plain_read
from kernel.http.paging import After, Limit
from kernel.http.routes import RouteTable
from services.posts import api as posts
from services.threads import api as threads
from services.users import api as users
from tests.unit.fakes import FakeUsers

COOKIE = SessionCookie("http://localhost", FakeUsers().authenticate)


class Body(RequestBody):
    """A body."""


async def nothing() -> None:
    """A dependency, with which an operation is not simple."""


def router(*, simple: bool) -> APIRouter:
    """Operations that show their parameters."""
    dependencies = [] if simple else [Depends(nothing)]
    routes = APIRouter(route_class=JsonRoute, dependencies=dependencies)

    @routes.get("/list/{thread}")
    async def listed(
        thread: Id,
        request: Request,
        limit: Limit = 20,
        after: After = None,
        around: Annotated[Id | None, Query()] = None,
        order: Annotated[Literal["new", "old"], Query(alias="sortBy")] = "new",
        id: Annotated[list[Id] | None, Query(max_length=3)] = None,  # noqa: A002
    ) -> Response:
        return Response(repr((thread, request.url.path, limit, after, around, order, id)))

    @routes.get("/found/{name}")
    async def found(q: Words, name: str) -> Response:
        return Response(repr((q, name)))

    return routes


SIMPLE, USUAL = RouteTable([router(simple=True)]), RouteTable([router(simple=False)])

NAMES = st.sampled_from(["limit", "after", "around", "sortBy", "id", "q", "order", "", "x"])
VALUES = st.sampled_from(
    ["", "0", "1", "7", "101", "01", "٣", "new", "old", "None", "a b", "é", "\0"]
)
QUERIES = st.lists(st.tuples(NAMES, VALUES), max_size=4).map(urlencode) | st.text(
    "&=%7;+limit ", max_size=12
)
PATHS = st.sampled_from(["/list/7", "/list/0", "/list/x", "/list/٣", "/found/me", "/found/%2F"])


async def answer(table: RouteTable, path: str, query: str) -> tuple[int, bytes]:
    """The status and the body of a response."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": query.encode(),
        "headers": [], "scheme": "http", "server": ("localhost", 80), "root_path": "",
    }  # fmt: skip
    await table(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


@given(PATHS, QUERIES)
def test_simple_read_is_answered_as_by_fastapi(path: str, query: str) -> None:
    async def compare() -> None:
        assert await answer(SIMPLE, path, query) == await answer(USUAL, path, query)

    asyncio.run(compare())


@pytest.mark.parametrize(
    ("path", "query", "simple"),
    [
        ("/list/7", "", True),
        ("/list/7", "limit=5&after=x&around=3&sortBy=old", True),
        ("/list/7", "limit=5&limit=6", True),
        ("/found/me", "q=bread", True),
        ("/list/7", "id=3", False),
        ("/list/7", "limit=x", False),
        ("/list/0", "", False),
        ("/list/7", "other=1", False),
        ("/found/me", "", False),
    ],
)
def test_fastapi_handles_what_is_unusual(path: str, query: str, simple: bool) -> None:
    found = SIMPLE.find("GET", path)
    assert found is not None
    operation, parameters = found
    assert operation.read is not None
    scope = {
        "type": "http", "path": path, "path_params": parameters, "query_string": query.encode()
    }  # fmt: skip
    call = operation.read(Request(scope))
    assert (call is not None) is simple
    if call is not None:
        call.close()


def routes_of(kind: str) -> APIRouter:
    """A router with one operation that is not simple."""
    routes = APIRouter()
    match kind:
        case "header":

            @routes.get("/")
            async def with_header(x: Annotated[str, Header()] = "") -> Response:
                return Response(x)

        case "body":

            @routes.get("/")
            async def with_body(body: Body) -> Response:
                return Response(repr(body))

        case "response":

            @routes.get("/")
            async def with_response(response: Response) -> Response:
                return response

        case "model":

            @routes.get("/")
            async def with_model() -> str:
                return "x"

        case "default":

            @routes.get("/")
            async def with_default(x: Annotated[list[str], Query()] = ["a"]) -> Response:  # noqa: B006 - what is tested
                return Response(repr(x))

        case "thread":

            @routes.get("/")
            def in_thread() -> Response:
                return Response()

    return routes


@pytest.mark.parametrize("kind", ["header", "body", "response", "model", "default", "thread"])
def test_operation_with_more_than_scalar_parameters_is_left_to_fastapi(kind: str) -> None:
    [route] = routes_of(kind).routes
    assert isinstance(route, APIRoute)
    assert plain_read(route) is None


def made(router: Callable[..., APIRouter]) -> APIRouter:
    """The operations of a context that does nothing."""
    return router(
        **{name: COOKIE if name == "cookie" else None for name in signature(router).parameters}
    )


def test_every_shared_operation_of_the_api_is_simple() -> None:
    routers = [made(context.router) for context in (users, threads, posts)]
    shared = [
        route
        for each in routers
        for route in each.routes
        if isinstance(route, APIRoute) and getattr(route.endpoint, "shared", False)
    ]
    assert len(shared) >= 8
    assert [route.path for route in shared if plain_read(route) is None] == []
