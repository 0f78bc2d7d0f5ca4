"""Responses name the calls to other services, where processes may be named."""

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kernel.http.request_middleware import RequestMiddleware
from kernel.process.lifecycle import Lifecycle
from kernel.process.telemetry import Telemetry
from kernel.process.tracing import InnerCall, current_trace


async def timing(served_by: str | None, *calls: InnerCall) -> str | None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        trace = current_trace.get()
        assert trace is not None
        for call in calls:
            trace.record(call)
        await Response("done")(scope, receive, send)

    middleware = RequestMiddleware(app, Telemetry("test"), Lifecycle(), served_by)
    transport = httpx.ASGITransport(middleware)
    async with httpx.AsyncClient(transport=transport, base_url="http://board.example") as http:
        value: str | None = (await http.get("/")).headers.get("server-timing")
        return value


WHO = InnerCall("users/users-1", "POST", "/internal/users/authenticate", 200, 0.00321)
LOST = InnerCall("threads", "GET", "/internal/threads/7", 0, 2.0)


async def test_response_names_each_call_and_its_milliseconds() -> None:
    assert await timing("posts/posts-1", WHO, LOST) == (
        'call;dur=3.2;desc="users/users-1 POST /internal/users/authenticate 200", '
        'call;dur=2000.0;desc="threads GET /internal/threads/7 no-answer"'
    )


async def test_response_without_calls_has_no_server_timing() -> None:
    assert await timing("posts/posts-1") is None


async def test_calls_are_hidden_where_processes_are_not_named() -> None:
    assert await timing(None, WHO) is None


@pytest.mark.parametrize("name", ['users"', "users\\", "users\r\nset-cookie: a=b", "usérs"])
async def test_characters_that_end_a_quoted_string_are_replaced(name: str) -> None:
    value = await timing("posts/posts-1", InnerCall(name, "GET", "/internal/x", 200, 0.001))
    assert value is not None
    assert value.startswith('call;dur=1.0;desc="us')
    assert value.endswith(' GET /internal/x 200"')
    assert value.isprintable()
    assert value.isascii()
    assert value.count('"') == 2
    assert "\\" not in value
