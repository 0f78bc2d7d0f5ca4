"""No path, query or text of a client causes a server error."""

import json

import httpx
import pytest

from tests.deployments import Board
from tests.people import Person, new_username
from tests.problems import pointers
from tests.raw import send

pytestmark = pytest.mark.one_deployment

RESOURCES = ["/api/users/{}", "/api/threads/{}", "/api/posts/{}"]
LISTS = ["/api/posts/in-thread/{}", "/api/posts/by-user/{}"]

NO_IDS = [
    "0", "-1", "9223372036854775808", "1" + "0" * 30, "007", "+7", "%2B7", "%D9%A3", "7.0", "1_0",
    "1e3", "0x7", "%20" + "7", "7%20", "7%0A", "NaN", "null", "undefined", "true", "7;8", "7,8",
    "%00", "7%00", "%ED%A0%80", "%FF%FE", "%C0%AF", "x" * 2000, "7'--", "%27%20OR%201=1", "{id}",
]  # fmt: skip


@pytest.mark.parametrize("template", RESOURCES + LISTS)
async def test_a_path_with_no_id_in_it_is_a_404(board: Board, template: str) -> None:
    for text in NO_IDS:
        answer = await send(board.url, f"GET {template.format(text)} HTTP/1.1")
        assert answer.status == 404, text
        problem = json.loads(answer.body)
        assert problem["type"] in {"/problems/not-found", "/problems/no-such-path"}, text


@pytest.mark.parametrize("template", RESOURCES)
async def test_largest_id_is_valid(visitor: httpx.AsyncClient, template: str) -> None:
    response = await visitor.get(template.format(2**63 - 1))
    assert response.json()["detail"].startswith("There is no such")


@pytest.mark.parametrize("id_", ["0", "-1", str(2**63), "007", "+7", "٣", "7.0", "", "x", "\0"])
async def test_invalid_ids_in_a_query_are_rejected(visitor: httpx.AsyncClient, id_: str) -> None:
    assert pointers(await visitor.get("/api/users", params={"id": ["1", id_]})) == ["?id"]


@pytest.mark.parametrize("query", ["%00", "a%00b", "%ED%A0%80", "%FF", "%", "%zz", "%C3%28"])
async def test_no_query_text_causes_a_server_error(board: Board, query: str) -> None:
    for path in (
        f"/api/users?username={query}", f"/api/users?{query}={query}", f"/api/threads?{query}",
        f"/api/posts?limit={query}", f"/api/users?id={query}", f"/api/threads?after={query}",
    ):  # fmt: skip
        answer = await send(board.url, f"GET {path} HTTP/1.1")
        assert answer.status in {200, 400, 422}, path


async def test_nul_character_is_rejected_in_every_text(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    username = new_username()
    for path, body, field in [
        ("/api/threads", {"title": "a\0b!"}, "/title"),
        ("/api/posts", {"thread": thread, "text": "a\0b"}, "/text"),
        ("/api/users", {"username": "ab\0", "password": "seven quiet herons"}, "/username"),
        ("/api/users", _user(username, name="a\0b"), "/name"),
        ("/api/users", _user(username, bio="a\0b"), "/bio"),
        ("/api/users", _user(username, email="a\0@b.c"), "/email"),
        ("/api/sessions", {"username": "a\0b", "password": "x"}, "/username"),
    ]:
        assert pointers(await person.http.post(path, json=body)) == [field]
    answer = await person.http.get("/api/users", params={"username": "a\0b"})
    assert pointers(answer) == ["?username"]


async def test_lone_surrogate_is_rejected_in_every_text(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    username = new_username()
    lone = "\ud800"
    for path, body in [
        ("/api/threads", {"title": f"a{lone}b"}),
        ("/api/posts", {"thread": thread, "text": f"a{lone}b"}),
        ("/api/users", {"username": f"ab{lone}", "password": "seven quiet herons"}),
        ("/api/users", _user(username, name=f"a{lone}b")),
        ("/api/users", _user(username, bio=f"a{lone}b")),
        ("/api/users", _user(username, email=f"a{lone}@b.c")),
        ("/api/users", {"username": username, "password": f"seven quiet {lone}"}),
        ("/api/sessions", {"username": f"a{lone}b", "password": "x"}),
        ("/api/sessions", {"username": "ab", "password": lone}),
        ("/api/threads", {f"title{lone}": "abc"}),
    ]:
        response = await person.http.post(
            path, content=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        assert response.status_code in {400, 422}, response.text


def _user(username: str, **fields: str) -> dict[str, str]:
    return {"username": username, "password": "seven quiet herons", **fields}


async def test_password_may_contain_nul(
    visitor: httpx.AsyncClient,
) -> None:
    who = {"username": new_username(), "password": "seven\0quiet\0herons"}
    assert (await visitor.post("/api/users", json=who)).status_code == 201
    assert (await visitor.post("/api/sessions", json=who)).status_code == 201
    cut = {**who, "password": "seven\0quiet\0cranes"}
    assert (await visitor.post("/api/sessions", json=cut)).status_code == 401


@pytest.mark.parametrize(
    "name", ["Authorization", "Cookie", "X-Request-ID", "User-Agent", "Origin"]
)
async def test_no_header_value_causes_a_server_error(board: Board, name: str) -> None:
    for value in ("\xff\xfe", "Bearer \xe9\x00".rstrip("\0"), "x" * 8000, "=;=;=", "session=\xff"):
        for request in ("GET /api/users/me", "DELETE /api/sessions/current", "GET /api/posts"):
            answer = await send(board.url, f"{request} HTTP/1.1\n{name}: {value}")
            assert answer.status in {200, 401, 403}, (request, value[:20])
