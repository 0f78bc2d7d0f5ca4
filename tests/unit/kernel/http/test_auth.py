"""Tokens and cookies, and which requests may use them."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Response
from starlette.requests import Request

from kernel.errors import Forbidden, Unauthenticated
from kernel.http.auth import ServiceToken, SessionCookie, bearer_token
from kernel.http.fields import RequestBody
from kernel.http.input.json_route import JsonRoute


def request(**headers: str) -> Request:
    """A request with these header fields."""
    fields = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": fields})


@pytest.mark.parametrize(
    ("field", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("  BEARER   abc  ", "abc"),
        ("Bearer", ""),
        ("Basic abc", None),
        ("", None),
        (None, None),
    ],
)
def test_bearer_token_is_read_from_the_authorization_field(
    field: str | None, token: str | None
) -> None:
    assert bearer_token(field) == token


@pytest.mark.parametrize(
    ("origin", "name", "secure"),
    [
        ("https://board.example", "__Host-session", True),
        ("http://localhost:8080", "__Host-session", True),
        ("http://board.localhost", "__Host-session", True),
        ("http://board.example", "session", False),
        ("http://127.0.0.1:8080", "session", False),
        ("http://localhost.example", "session", False),
    ],
)
def test_cookie_has_the_host_prefix_where_browsers_allow_it(
    origin: str, name: str, secure: bool
) -> None:
    cookie = SessionCookie(origin)
    response = Response()
    cookie.put(response, "a-token", max_age=60)
    kept = response.headers["set-cookie"]
    assert cookie.name == name
    assert kept.startswith(f"{name}=a-token; ")
    assert {"HttpOnly", "Max-Age=60", "Path=/", "SameSite=lax"} <= set(kept.split("; "))
    assert ("Secure" in kept.split("; ")) is secure
    assert "Domain" not in kept


def test_clearing_the_cookie_ends_it() -> None:
    response = Response()
    SessionCookie("https://board.example").clear(response)
    assert "Max-Age=0" in response.headers["set-cookie"]


async def test_a_bearer_token_counts_before_a_cookie() -> None:
    cookie = SessionCookie("http://board.example")
    both = request(authorization="Bearer from-header", cookie="session=from-cookie")
    assert await cookie.token(both) == "from-header"
    assert await cookie.token(request(cookie="session=from-cookie")) == "from-cookie"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer", "cookie": "session=from-cookie"},
        {"cookie": "__Host-session=of-another-board"},
        {"cookie": "session="},
        {"authorization": "Basic abc"},
    ],
)
async def test_without_a_token_nobody_is_signed_in(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        await SessionCookie("http://board.example").token(request(**headers))


@pytest.mark.parametrize("token", ["the new secret", "the old secret"])
async def test_two_service_tokens_are_accepted_while_one_replaces_the_other(token: str) -> None:
    await ServiceToken(["the new secret", "the old secret"])(f"Bearer {token}")


@pytest.mark.parametrize("field", [None, "", "Bearer", "Bearer wrong", "Basic the new secret"])
async def test_any_other_service_token_is_forbidden(field: str | None) -> None:
    with pytest.raises(Forbidden):
        await ServiceToken(["the new secret"])(field)


async def test_operation_with_large_bodies_needs_a_cookie_that_authenticates() -> None:
    class Large(RequestBody):
        largest_body = 64 * 1024

    cookie = SessionCookie("http://board.example")
    routes = APIRouter(route_class=JsonRoute)
    with pytest.raises(ValueError, match="authenticate"):

        @routes.post("/large")
        async def write(body: Large, token: Annotated[str, Depends(cookie.token)]) -> None: ...
