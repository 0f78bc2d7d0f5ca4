"""Paths for operators and other services cannot be reached through the load balancer."""

import httpx
import pytest

from tests.deployments import THREADS_TOKEN, USERS_TOKEN, Board
from tests.people import Person, visiting
from tests.raw import send

PRIVATE = ["/livez", "/readyz", "/metrics", "/internal/users/authenticate", "/internal/threads/1"]
SPELLINGS = [
    "{}", "{}/", "/{}", "/.{}", "/api/..{}", "/api/users/..{}", "/api/users/../..{}",
    "/api/users/%2e%2e/%2e%2e{}", "/api/users/..%2f..{}", "/api/posts/%2e%2e%2f%2e%2e{}",
    "/api/threads/..;{}", "{}?x=/api/users", "{}%3f", "{}%20", "/%2e{}", "{};x",
    "http://internal.example{}", "/api/users/..\\..{}",
]  # fmt: skip


def encoded(path: str) -> str:
    """The same path with its second character percent-encoded."""
    return f"/%{ord(path[1]):02x}{path[2:]}"


@pytest.mark.parametrize("path", PRIVATE)
async def test_no_spelling_of_a_private_path_passes_the_gateway(board: Board, path: str) -> None:
    for spelling in [*(s.format(path) for s in SPELLINGS), encoded(path), path.upper()]:
        head = f"GET {spelling} HTTP/1.1\nAuthorization: Bearer {THREADS_TOKEN}"
        answer = await send(board.url, head)
        assert answer.status in {400, 404}, spelling
        assert b"board_requests" not in answer.body, spelling
        assert b"alive" not in answer.body, spelling


@pytest.mark.parametrize("path", PRIVATE)
async def test_wrong_method_on_a_private_path_does_not_reveal_it(board: Board, path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = await send(board.url, f"{method} {path} HTTP/1.1\nContent-Length: 0")
        assert answer.status == 404


@pytest.mark.in_loop
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_internal_path_answers_unless_the_request_was_forwarded(
    board: Board, path: str
) -> None:
    for origin in board.origins.values():
        async with httpx.AsyncClient(base_url=origin, trust_env=False) as http:
            assert (await http.get(path)).status_code == 200
            assert (await http.head(path)).status_code == 200
            for forwarded in ("203.0.113.7", "", "127.0.0.1, 203.0.113.7"):
                answer = await http.get(path, headers={"X-Forwarded-For": forwarded})
                assert answer.status_code == 404
                assert answer.json()["type"] == "/problems/no-such-path"


INTERNAL = [
    ("users", "POST", "/internal/users/authenticate", '"x"'),
    ("threads", "GET", "/internal/threads/1", ""),
    ("threads", "PUT", "/internal/threads/activity", "[]"),
]


@pytest.mark.parametrize(("service", "method", "path", "body"), INTERNAL)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer wrong", f"Basic {USERS_TOKEN}", f"Bearer {USERS_TOKEN}x"],
)
async def test_service_rejects_internal_calls_without_its_token(
    services: Board, service: str, method: str, path: str, body: str, authorization: str | None
) -> None:
    headers = {"Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    async with httpx.AsyncClient(base_url=services.origins[service], trust_env=False) as http:
        answer = await http.request(method, path, content=body, headers=headers)
        assert answer.status_code == 403
        token = THREADS_TOKEN if service == "threads" else USERS_TOKEN
        headers |= {"Authorization": f"Bearer {token}", "X-Forwarded-For": "203.0.113.7"}
        answer = await http.request(method, path, content=body, headers=headers)
        assert answer.status_code == 404


async def test_session_token_is_not_a_service_token(services: Board, person: Person) -> None:
    async with visiting(services) as http:
        url = f"{services.origins['users']}/internal/users/authenticate"
        headers = {"Authorization": f"Bearer {person.token}"}
        assert (await http.post(url, json=person.token, headers=headers)).status_code == 403


async def test_the_monolith_has_no_internal_operations(monolith: Board) -> None:
    for token in (USERS_TOKEN, THREADS_TOKEN):
        for _, method, path, body in INTERNAL:
            head = f"{method} {path} HTTP/1.1\nAuthorization: Bearer {token}\nContent-Length: "
            answer = await send(monolith.origins["monolith"], f"{head}{len(body)}", body.encode())
            assert answer.status == 404


async def test_trace_is_refused(monolith: Board, services: Board) -> None:
    for board in (monolith, services):
        answer = await send(board.url, "TRACE /api/threads HTTP/1.1\nX-Secret: seen")
        assert answer.status in {405, 501}
        assert b"seen" not in answer.body
