"""One flat table of a process's operations, in which each request is looked up.

FastAPI parses, validates and documents. Its own lookup would match a path twice for each included
router, and wrap every request in layers for bodies, uploads and generators
(docs/decisions/one-route-table.md).
"""

import logging
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from kernel.data.idempotency import Replayed
from kernel.errors import Failure, MalformedRequest, MethodNotAllowed, NoSuchPath, Unavailable
from kernel.http import problems
from kernel.http.idempotency import to_response
from kernel.http.input import validation
from kernel.http.input.plain_reads import Read, plain_read
from kernel.http.operations import is_private

log = logging.getLogger("board.web")

_STACKS: Final = (
    "fastapi_middleware_astack",
    "fastapi_inner_astack",
    "fastapi_function_astack",
)
"""The scope's keys in which FastAPI's handlers expect the stacks that close dependencies."""

_REST: Final = ":path}"
"""The end of a parameter that matches the rest of a path, including slashes."""


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation for a method of a path. `path` is its template, such as `/api/users/{id}`. The
    responses of a `shared` one are the same for everybody. `read` handles simple requests without
    FastAPI, if the operation has any."""

    path: str
    names: tuple[str, ...]
    shared: bool
    handle: Callable[[Request], Coroutine[Any, Any, Response]]
    read: Read | None


@dataclass(slots=True)
class _Node:
    """A segment of a path. `operations` are those of the path that ends here, by method; `rest`
    those that match any further segments."""

    literal: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    operations: dict[str, Operation] = field(default_factory=dict)
    rest: dict[str, Operation] = field(default_factory=dict)


class RouteTable:
    """The ASGI application of some routers' operations. A literal segment has priority over a
    parameter; a parameter is never empty. Raises `ValueError` for two operations with one method
    and path, and for a router that was included with dependencies of its own, which would be
    lost."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._root = _Node()
        for router in routers:
            for context in iter_route_contexts(router.routes):
                route = context.original_route
                if not isinstance(route, APIRoute) or context.dependencies != route.dependencies:
                    raise ValueError(f"{context.path} cannot be in the table")
                self._add(context.path or "", route)

    def _add(self, path: str, route: APIRoute) -> None:
        node, names = self._root, []
        segments = path.split("/")[1:]
        operations = node.operations
        for segment in segments:
            if segment.startswith("{") and segment.endswith(_REST):
                names.append(segment[1 : -len(_REST)])
                operations = node.rest
                break
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literal.setdefault(segment, _Node())
            operations = node.operations
        operation = Operation(
            path,
            tuple(names),
            getattr(route.endpoint, "shared", False),
            route.get_route_handler(),
            plain_read(route),
        )
        for method in route.methods or ():
            if operations.setdefault(method, operation) is not operation:
                raise ValueError(f"{method} {path} is in the table already")

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a request, and its path's parameters."""
        found: list[str] = []
        operation = _find(self._root, path.split("/")[1:], 0, method, found)
        return None if operation is None else (operation, dict(zip(operation.names, found)))  # noqa: B905 - as many of each

    def is_shared(self, path: str) -> bool:
        """Whether the response to a GET of this path is the same for everybody."""
        found = self.find("GET", path)
        return found is not None and found[0].shared

    def allowed(self, path: str) -> list[str]:
        """The methods of a path, sorted; none if no operation has it."""
        methods: set[str] = set()
        _collect(self._root, path.split("/")[1:], 0, methods)
        return sorted(methods | {"HEAD"} if "GET" in methods else methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Exceptions other than failures of the board and FastAPI's are
        raised."""
        found = self.find(scope["method"], scope["path"])
        if found is None:
            await self._refusal(scope)(scope, receive, send)
            return
        operation, scope["path_params"] = found
        scope["route"] = operation
        request = Request(scope, receive, send)
        try:
            call = None if operation.read is None else operation.read(request)
            response = await (_handle(operation, request) if call is None else call)
        except (Failure, Replayed, RequestValidationError, HTTPException) as error:
            response = _to_response(error, scope["path"])
        await response(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response:
        path = scope["path"]
        allow = self.allowed(path)
        failure: Failure
        if not allow:
            failure = NoSuchPath("No operation has this path.")
        elif is_private(path) and any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
            failure = NoSuchPath("Nothing is here.")
        else:
            failure = MethodNotAllowed(f"This path has {', '.join(allow)}.", allow)
        return problems.response(failure, path)


async def _handle(operation: Operation, request: Request) -> Response:
    async with AsyncExitStack() as stack:
        for name in _STACKS:
            request.scope[name] = stack
        return await operation.handle(request)


def _find(
    node: _Node, segments: list[str], place: int, method: str, found: list[str]
) -> Operation | None:
    if place == len(segments):
        return node.operations.get(method)
    segment = segments[place]
    literal = node.literal.get(segment)
    if literal is not None:
        operation = _find(literal, segments, place + 1, method, found)
        if operation is not None:
            return operation
    if node.parameter is not None and segment:
        found.append(segment)
        operation = _find(node.parameter, segments, place + 1, method, found)
        if operation is not None:
            return operation
        found.pop()
    operation = node.rest.get(method)
    if operation is not None:
        found.append("/".join(segments[place:]))
    return operation


def _collect(node: _Node, segments: list[str], place: int, methods: set[str]) -> None:
    if place == len(segments):
        methods.update(node.operations)
        return
    methods.update(node.rest)
    literal = node.literal.get(segments[place])
    if literal is not None:
        _collect(literal, segments, place + 1, methods)
    if node.parameter is not None and segments[place]:
        _collect(node.parameter, segments, place + 1, methods)


def _to_response(error: Exception, path: str) -> Response:
    match error:
        case Replayed():
            return to_response(error.response, replayed=True)
        case Failure():
            if isinstance(error, Unavailable):
                log.warning("%s (%r)", error.detail, error.__cause__)
            return problems.response(error, path)
        case RequestValidationError():
            return problems.response(validation.to_failure(error), path)
        case _:
            return problems.response(MalformedRequest("The request cannot be read."), path)
