"""Problems, and the header fields of every response."""

import json
import re

import httpx
import pytest

from tests.conventions import Conventions
from tests.deployments import Board
from tests.people import Person
from tests.problems import pointers, slug
from tests.raw import send

LISTS = (
    "/api/users",
    "/api/threads",
    "/api/posts",
    "/api/posts/in-thread/1",
    "/api/posts/by-user/1",
)


async def test_a_problem_has_every_member(visitor: httpx.AsyncClient) -> None:
    response = await visitor.get("/api/threads/0", headers={"X-Request-ID": "night-train-7"})
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "type": "/problems/not-found",
        "title": "Not found",
        "status": 404,
        "detail": "No resource has such an id.",
        "instance": "/api/threads/0",
        "requestId": "night-train-7",
    }


async def test_errors_have_pointers_to_the_fields(visitor: httpx.AsyncClient) -> None:
    response = await visitor.get("/api/threads?limit=0")
    assert response.json()["errors"] == [
        {"pointer": "?limit", "detail": "Send a number of at least 1."}
    ]


async def test_an_instance_is_a_uri_reference(visitor: httpx.AsyncClient) -> None:
    response = await visitor.get("/api/threads/caf%C3%A9%20%22x%22%0a")
    assert response.json()["instance"] == "/api/threads/caf%C3%A9%20%22x%22%0A"


@pytest.mark.in_loop
@pytest.mark.parametrize("given", ["7", "a" * 64, "A-z_0"])
async def test_request_id_of_the_caller_is_used(visitor: httpx.AsyncClient, given: str) -> None:
    response = await visitor.get("/api/threads", headers={"X-Request-ID": given})
    assert response.headers["x-request-id"] == given


@pytest.mark.in_loop
@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "a.b", "a;b", '"a"'])
async def test_request_id_that_could_forge_log_lines_is_replaced(
    visitor: httpx.AsyncClient, given: str
) -> None:
    response = await visitor.get("/api/threads", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{16}", response.headers["x-request-id"])


async def test_every_request_has_an_id_of_its_own(visitor: httpx.AsyncClient) -> None:
    ids = {(await visitor.get("/api/threads")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/users", "users"), ("/api/sessions/current", "users"), ("/api/threads", "threads"),
        ("/api/posts", "posts"), ("/api/users/nothing/here", "users"),
    ],
)  # fmt: skip
async def test_response_names_the_process_that_sent_it(
    visitor: httpx.AsyncClient, path: str, service: str
) -> None:
    response = await visitor.get(path)
    process, _, instance = response.headers["x-served-by"].partition("/")
    assert process in {service, "monolith"}
    # The first of its kind, or one in a container, which has its own name.
    assert instance == f"{process}-1" or re.fullmatch("[0-9a-f]{12}", instance)


@pytest.mark.parametrize(
    "path",
    [
        "/api/users/1/friends", "/api/threads/1/2", "/api/posts/in-thread", "/api/posts/by-user",
        "/api/posts/in-threads/1", "/api/sessions/current/x", "/api/users//",
    ],
)  # fmt: skip
async def test_a_path_under_a_context_that_no_operation_has_is_a_404_problem(
    visitor: httpx.AsyncClient, path: str
) -> None:
    response = await visitor.get(path)
    assert response.status_code == 404
    assert slug(response) in {"no-such-path", "not-found"}


@pytest.mark.parametrize(
    "path", ["/api/user", "/api/usersx", "/API/users", "/api/Users", "/api//users", "/nothing"]
)
async def test_path_without_a_rule_returns_404(visitor: httpx.AsyncClient, path: str) -> None:
    assert (await visitor.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/api", "/api/"])
async def test_api_root_returns_a_greeting(visitor: httpx.AsyncClient, path: str) -> None:
    response = await visitor.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == "text/plain"
    assert response.text == "API ready to receive requests"


@pytest.mark.parametrize("path", ["/api/users", "/api/threads", "/api/posts", "/api/sessions"])
@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "PROPFIND"])
async def test_wrong_method_returns_405_with_the_allowed_methods(
    board: Board, visitor: httpx.AsyncClient, path: str, method: str
) -> None:
    response = await visitor.request(method, path)
    assert response.status_code == 405
    assert slug(response) == "method-not-allowed"
    assert response.headers["allow"] == ", ".join(_methods(board.conventions, path))


@pytest.mark.parametrize("path", ["/api/users/1", "/api/threads/1", "/api/posts/1"])
async def test_resource_does_not_support_post(
    board: Board, visitor: httpx.AsyncClient, path: str
) -> None:
    response = await visitor.post(path, json={})
    assert response.status_code == 405
    assert response.headers["allow"] == ", ".join(_methods(board.conventions, path))


def _methods(conventions: Conventions, path: str) -> list[str]:
    known = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
    return [method for method in known if conventions.operation(method, path) is not None]


@pytest.mark.in_loop
@pytest.mark.parametrize("path", LISTS)
async def test_a_limit_is_1_to_100(visitor: httpx.AsyncClient, path: str) -> None:
    for limit in ("0", "101", "-1", "x", "", "1.5", "٣", "9" * 40, "\0"):
        assert pointers(await visitor.get(path, params={"limit": limit})) == ["?limit"], limit


@pytest.mark.parametrize("path", LISTS)
async def test_page_has_as_many_items_as_the_limit(visitor: httpx.AsyncClient, path: str) -> None:
    assert len((await visitor.get(path, params={"limit": 1})).json()) <= 1
    assert len((await visitor.get(path)).json()) <= 20
    assert (await visitor.get(path, params={"limit": 100})).status_code == 200


@pytest.mark.in_loop
@pytest.mark.parametrize("method", ["FOO", "get", "A", "GET2", "LONGMETHODNAME"])
async def test_unknown_method_returns_a_problem(board: Board, method: str) -> None:
    for url in (board.url, *board.origins.values()):
        answer = await send(url, f"{method} /api/threads HTTP/1.1")
        problem = json.loads(answer.body)
        assert (answer.status, problem["status"], problem["type"]) == (
            400, 400, "/problems/malformed-request",
        )  # fmt: skip
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-request-id"] == problem["requestId"]


async def test_response_names_the_calls_to_other_services(person: Person) -> None:
    thread = await person.start_thread()
    response = await person.http.post(
        "/api/posts", json={"thread": thread["id"], "text": "Which service asks which?"}
    )
    calls = re.findall(r'desc="(\w+)/\S+ (\S+ \S+) 200"', response.headers.get("server-timing", ""))
    if response.headers["x-served-by"].startswith("monolith/"):
        assert calls == []
    else:
        assert ("threads", f"GET /internal/threads/{thread['id']}") in calls
