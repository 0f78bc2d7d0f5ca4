"""Writes that another site makes a browser send are rejected; all other requests are not."""

import httpx
import pytest

from tests.deployments import Board
from tests.people import PASSWORD, Person, new_username, visiting
from tests.problems import slug

OWN = "the board's own origin"

ALLOWED: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": OWN},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind-a-proxy.example"},
]
REFUSED: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "SAME-ORIGIN"},
    {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": f"{OWN}.evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Authorization": "Basic aW5lczpwdw=="},
]


def filled(headers: dict[str, str], board: Board) -> dict[str, str]:
    return {name: value.replace(OWN, board.public_origin) for name, value in headers.items()}


@pytest.mark.parametrize("headers", ALLOWED, ids=str)
async def test_page_of_the_board_can_write(
    board: Board, person: Person, headers: dict[str, str]
) -> None:
    async with visiting(board) as browser:
        browser.headers["Cookie"] = _cookie(board, person)
        body = {"title": "From our own page"}
        response = await browser.post("/api/threads", json=body, headers=filled(headers, board))
        assert response.status_code == 201


@pytest.mark.in_loop
@pytest.mark.parametrize("headers", REFUSED, ids=str)
async def test_page_of_another_site_cannot_write(
    board: Board, person: Person, headers: dict[str, str]
) -> None:
    async with visiting(board) as browser:
        browser.headers["Cookie"] = _cookie(board, person)
        for method, path, body in [
            ("POST", "/api/threads", {"title": "From elsewhere"}),
            ("POST", "/api/posts", {"thread": 1, "text": "From elsewhere"}),
            ("POST", "/api/sessions", {"username": person.username, "password": PASSWORD}),
            ("POST", "/api/users", {"username": new_username(), "password": PASSWORD}),
            ("DELETE", "/api/sessions/current", None),
        ]:
            response = await browser.request(
                method, path, json=body, headers=filled(headers, board)
            )
            assert (response.status_code, slug(response)) == (403, "forbidden"), path
            assert "set-cookie" not in response.headers
        assert (await browser.get("/api/users/me")).status_code == 200


@pytest.mark.in_loop
@pytest.mark.parametrize("headers", REFUSED[:-1], ids=str)
async def test_bearer_token_needs_no_origin_check(
    board: Board, person: Person, headers: dict[str, str]
) -> None:
    body = {"title": "From a client of its own"}
    response = await person.http.post("/api/threads", json=body, headers=filled(headers, board))
    assert response.status_code == 201


@pytest.mark.in_loop
@pytest.mark.parametrize("headers", REFUSED, ids=str)
async def test_any_origin_can_read(
    board: Board, visitor: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await visitor.get("/api/posts", headers=filled(headers, board))).status_code == 200
    assert (await visitor.head("/api/posts", headers=filled(headers, board))).status_code == 200


def _cookie(board: Board, person: Person) -> str:
    name = "__Host-session" if "localhost" in board.public_origin else "session"
    return f"{name}={person.token}"
