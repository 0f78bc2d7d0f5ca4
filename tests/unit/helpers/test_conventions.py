"""The rules for every response: a test that receives a response against them fails."""

import json
from typing import Any

import httpx
import pytest
from schemathesis.core.failures import Failure

from tests.conventions import Conventions

THREAD = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "title": {"type": "string"}},
    "required": ["id", "title"],
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Threads", "version": "1"},
    "paths": {
        "/api/threads/{id}": {
            "get": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
                ],
                "responses": {
                    "200": {
                        "description": "The thread.",
                        "content": {"application/json": {"schema": THREAD}},
                    },
                    "304": {"description": "Not modified."},
                },
            }
        }
    },
}
HEADERS = {
    "X-Request-ID": "1",
    "X-Served-By": "threads/threads-1",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "no-cache",
    "Content-Type": "application/json; charset=utf-8",
}


async def see(
    conventions: Conventions,
    status: int = 200,
    body: Any = None,
    method: str = "GET",
    headers: dict[str, str] = HEADERS,
) -> None:
    """Let a client with the hook receive this response."""

    def answer(_request: httpx.Request) -> httpx.Response:
        content = b"" if body is None else json.dumps(body).encode()
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))

    async with httpx.AsyncClient(
        base_url="http://board.example",
        transport=httpx.MockTransport(answer),
        event_hooks={"response": [conventions.check]},
    ) as http:
        await http.request(method, "/api/threads/7")


async def test_accepts_documented_response() -> None:
    conventions = Conventions([DOCUMENT])
    await see(conventions, body={"id": 7, "title": "Bread"})
    await see(conventions, method="HEAD")
    assert conventions.carried_out == {"GET /api/threads/{id}", "HEAD /api/threads/{id}"}


async def test_rejects_undocumented_status() -> None:
    with pytest.raises(AssertionError, match="202 is not documented"):
        await see(Conventions([DOCUMENT]), 202, {"id": 7, "title": "Bread"})


@pytest.mark.parametrize("body", [{"id": 7}, {"id": "7", "title": "Bread"}, []])
async def test_rejects_body_that_its_schema_does_not_allow(body: Any) -> None:
    with pytest.raises(Failure):
        await see(Conventions([DOCUMENT]), body=body)


async def test_rejects_response_of_the_board_without_request_id() -> None:
    headers = {name: value for name, value in HEADERS.items() if name != "X-Request-ID"}
    with pytest.raises(AssertionError, match="without a request id"):
        await see(Conventions([DOCUMENT]), body={"id": 7, "title": "Bread"}, headers=headers)
