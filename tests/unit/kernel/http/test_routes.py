"""The operation that a method and a path select."""

import pytest
from fastapi import APIRouter, Depends, Response

from kernel.http.routes import RouteTable

OPERATIONS = {
    "GET": ["/", "/api/users", "/api/users/{id}", "/api/users/me", "/assets/{name:path}"],
    "POST": ["/api/users"],
    "PATCH": ["/api/users/me"],
    "DELETE": ["/api/a.b/{x}/c", "/api/users/{id}/ban"],
    "PUT": ["/api/{context}/me/ban"],
}


def router(operations: dict[str, list[str]]) -> APIRouter:
    """Operations whose answers do not matter."""
    routes = APIRouter()

    async def answer() -> Response:
        return Response()

    for method, paths in operations.items():
        for path in paths:
            routes.add_api_route(path, answer, methods=[method])
    return routes


TABLE = RouteTable([router(OPERATIONS)])


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/", ["GET", "HEAD"]),
        ("/api/users", ["GET", "HEAD", "POST"]),
        ("/api/users/7", ["GET", "HEAD"]),
        ("/api/users/me", ["GET", "HEAD", "PATCH"]),
        ("/api/users/me/ban", ["DELETE", "PUT"]),
        ("/api/a.b/7/c", ["DELETE"]),
        ("/assets/a/b.js", ["GET", "HEAD"]),
        ("/api/aXb/7/c", []),
        ("/api/users/7/8", []),
        ("/api/users/", []),
        ("/api//me/ban", []),
        ("", []),
    ],
)
def test_a_path_has_the_methods_of_all_operations_on_it(path: str, methods: list[str]) -> None:
    assert TABLE.allowed(path) == methods
    assert {method for method in OPERATIONS if TABLE.find(method, path)} == {*methods} - {"HEAD"}


@pytest.mark.parametrize(
    ("method", "path", "template", "parameters"),
    [
        ("GET", "/api/users/me", "/api/users/me", {}),
        ("GET", "/api/users/7", "/api/users/{id}", {"id": "7"}),
        ("GET", "/api/users/{id}", "/api/users/{id}", {"id": "{id}"}),
        ("DELETE", "/api/users/me/ban", "/api/users/{id}/ban", {"id": "me"}),
        ("PUT", "/api/users/me/ban", "/api/{context}/me/ban", {"context": "users"}),
        ("GET", "/assets/a/b.js", "/assets/{name:path}", {"name": "a/b.js"}),
        ("GET", "/assets/", "/assets/{name:path}", {"name": ""}),
    ],
)
def test_a_literal_segment_goes_before_a_parameter(
    method: str, path: str, template: str, parameters: dict[str, str]
) -> None:
    found = TABLE.find(method, path)
    assert found is not None
    assert (found[0].path, found[1]) == (template, parameters)


def test_included_routers_are_in_the_table() -> None:
    outer = APIRouter()
    outer.include_router(router({"GET": ["/inner"]}))
    assert RouteTable([outer]).allowed("/inner") == ["GET", "HEAD"]


def test_rejects_two_operations_of_one_method_and_path() -> None:
    with pytest.raises(ValueError, match="GET /x is in the table already"):
        RouteTable([router({"GET": ["/x"]}), router({"GET": ["/x"]})])


def test_rejects_a_router_included_with_dependencies_of_its_own() -> None:
    async def guard() -> None:
        pass

    outer = APIRouter()
    outer.include_router(router({"GET": ["/inner"]}), dependencies=[Depends(guard)])
    with pytest.raises(ValueError, match="/inner cannot be in the table"):
        RouteTable([outer])
