"""How one service calls another: within a time limit, and never taking an outage for an answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from pydantic import TypeAdapter

from kernel.calls.breaker import FAILURES, OPEN_SECONDS, State
from kernel.calls.deadline import Deadline, current_deadline
from kernel.calls.settings import CALL_TIMEOUT
from kernel.clients import HttpThreads, HttpUsers, ServiceClient, http_client
from kernel.contracts import Actor
from kernel.errors import NotFound, Unauthenticated, Unavailable
from kernel.process.tracing import Trace, current_trace

TOKEN = "the callee's service token"

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, body: bytes = b"null", media_type: str = "application/json") -> Respond:
    """A callee with this answer."""
    head = (
        f"HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + body)

    return respond


def problem(status: int, slug: str) -> Respond:
    """A callee that answers with a failure."""
    told = {"type": f"/problems/{slug}", "title": "t", "status": status, "detail": "It says so."}
    return answer(status, json.dumps(told).encode(), "application/problem+json")


async def hang(_writer: asyncio.StreamWriter) -> None:
    """A callee that never answers."""
    await asyncio.sleep(3600)


async def drip(writer: asyncio.StreamWriter) -> None:
    """A callee that sends a byte now and then, and never stops."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """A callee that closes the connection instead of answering."""
    writer.close()


@dataclass
class Callee:
    """A service that handles each request with the next of `responses`, and further ones with the
    last."""

    responses: list[Respond] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (
                        int(line.split(":")[1])
                        for line in head.lower().splitlines()
                        if line.startswith("content-length:")
                    ),
                    0,
                )
                self.requests.append(head + (await reader.readexactly(length)).decode())
                respond = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
                await respond(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, RuntimeError):
            pass
        finally:
            writer.close()


@pytest_asyncio.fixture
async def callee() -> AsyncIterator[Callee]:
    """A service to call."""
    made = Callee()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(made.serve(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def asking(
    callee: Callee, call_timeout: float = CALL_TIMEOUT
) -> AsyncIterator[ServiceClient]:
    """A caller of that service, with so many seconds for a call."""
    async with http_client(call_timeout) as http:
        yield ServiceClient(http, "users", callee.url, TOKEN)


NUMBER = TypeAdapter(int)


@pytest.mark.parametrize(
    "respond",
    [
        answer(200, b"<html>Welcome</html>", "text/html"),
        answer(200, b'{"id": 1'),
        answer(200, b'{"id": "ines"}'),
        answer(200, b""),
        answer(204, b""),
        answer(301, b""),
        answer(404, b"Not Found", "text/plain"),
        answer(404, b'{"detail": "Not Found"}'),
        answer(401, b"", "text/plain"),
        answer(500, b"", "text/plain"),
        answer(502, b"<html>", "text/html"),
        problem(404, "no-such-path"),
        problem(403, "forbidden"),
        problem(401, "not-found"),
        problem(409, "conflict"),
        problem(422, "invalid"),
        problem(429, "too-many-requests"),
        problem(503, "unavailable"),
        problem(500, "internal-error"),
        answer(200, b"7\r\n\r\nHTTP/1.1 200 OK"),
        hang_up,
    ],
)
async def test_incomprehensible_response_is_unavailable(callee: Callee, respond: Respond) -> None:
    callee.responses = [respond]
    async with asking(callee) as client:
        with pytest.raises(Unavailable):
            await client.call("GET", "/internal/x", NUMBER, idempotent=False)


async def test_failure_named_by_the_contract_is_raised(callee: Callee) -> None:
    async with asking(callee) as client:
        callee.responses = [problem(404, "not-found")]
        with pytest.raises(NotFound) as absent:
            await client.call("GET", "/internal/x", NUMBER, idempotent=True)
        callee.responses = [problem(401, "unauthenticated")]
        with pytest.raises(Unauthenticated):
            await client.call("GET", "/internal/x", NUMBER, idempotent=True)
    assert absent.value.detail == "It says so."
    assert len(callee.requests) == 2, "such a failure is an answer, and is not asked for again"


@pytest.mark.parametrize("first", [answer(503), answer(200, b"garbage"), hang_up])
async def test_idempotent_call_is_repeated_once(callee: Callee, first: Respond) -> None:
    callee.responses = [first, answer(200, b"7")]
    async with asking(callee, call_timeout=10) as client:
        assert await client.call("GET", "/internal/x", NUMBER, idempotent=True) == 7
    assert len(callee.requests) == 2


async def test_idempotent_call_has_two_attempts_at_most(callee: Callee) -> None:
    callee.responses = [answer(503)]
    async with asking(callee, call_timeout=10) as client:
        with pytest.raises(Unavailable):
            await client.call("GET", "/internal/x", NUMBER, idempotent=True)
    assert len(callee.requests) == 2


async def test_other_calls_have_one_attempt(callee: Callee) -> None:
    callee.responses = [answer(503), answer(200, b"7")]
    async with asking(callee) as client:
        with pytest.raises(Unavailable):
            await client.call("POST", "/internal/x", NUMBER, idempotent=False)
    assert len(callee.requests) == 1


@pytest.mark.parametrize("respond", [hang, drip])
async def test_hanging_service_is_unavailable_in_bounded_time(
    callee: Callee, respond: Respond
) -> None:
    callee.responses = [respond]
    async with asking(callee) as client:
        async with asyncio.timeout(CALL_TIMEOUT * 3):
            with pytest.raises(Unavailable):
                await client.call("GET", "/internal/x", NUMBER, idempotent=False)


async def test_slow_call_is_not_sent_again_when_its_time_is_over(callee: Callee) -> None:
    callee.responses = [hang, answer(200, b"7")]
    async with asking(callee) as client:
        with pytest.raises(Unavailable):
            await client.call("GET", "/internal/x", NUMBER, idempotent=True)
    assert len(callee.requests) == 1


async def test_calls_fail_without_a_request_while_the_circuit_is_open(callee: Callee) -> None:
    now = 0.0
    callee.responses = [answer(503)]
    async with http_client() as http:
        client = ServiceClient(http, "users", callee.url, TOKEN, lambda: now)
        while client.breaker.state is State.CLOSED:
            with pytest.raises(Unavailable):
                await client.call("GET", "/internal/x", NUMBER, idempotent=True)
        sent = len(callee.requests)
        with pytest.raises(Unavailable) as failure:
            await client.call("GET", "/internal/x", NUMBER, idempotent=True)
        assert failure.value.headers["Retry-After"] == "1"
        assert len(callee.requests) == sent == FAILURES
        now += OPEN_SECONDS
        callee.responses = [answer(200, b"7")]
        assert await client.call("GET", "/internal/x", NUMBER, idempotent=True) == 7


async def test_a_call_that_waits_for_an_event_does_not_ask_the_breaker(callee: Callee) -> None:
    callee.responses = [answer(503)]
    async with asking(callee) as client:
        for _ in range(FAILURES):
            with pytest.raises(Unavailable):
                await client.call("GET", "/internal/x", NUMBER, idempotent=False, patience=20)
        assert client.breaker.state is State.CLOSED


async def test_call_fails_over_to_another_copy(callee: Callee) -> None:
    callee.responses = [answer(200, b"7")]
    async with http_client() as http:
        client = ServiceClient(http, "users", f"http://127.0.0.1:9,{callee.url}", TOKEN)
        for _ in range(3 * FAILURES):
            assert await client.call("GET", "/internal/x", NUMBER, idempotent=True) == 7
        assert client.breaker.state is State.CLOSED


async def test_calls_at_once_to_a_lost_copy_do_not_open_the_circuit(callee: Callee) -> None:
    callee.responses = [answer(200, b"7")]
    async with http_client() as http:
        client = ServiceClient(http, "users", f"http://127.0.0.1:9,{callee.url}", TOKEN)
        calls = (
            client.call("GET", "/internal/x", NUMBER, idempotent=True) for _ in range(4 * FAILURES)
        )
        assert await asyncio.gather(*calls) == [7] * 4 * FAILURES


async def test_a_call_says_how_long_the_caller_waits(callee: Callee) -> None:
    callee.responses = [answer(200, b"7")]
    async with asking(callee) as client:
        await client.call("GET", "/internal/x", NUMBER, idempotent=True)
        restore = current_deadline.set(Deadline.after(0.2))
        try:
            await client.call("GET", "/internal/x", NUMBER, idempotent=True)
        finally:
            current_deadline.reset(restore)
    first, second = (
        int(request.lower().partition("x-request-timeout-ms: ")[2].partition("\r\n")[0])
        for request in callee.requests
    )
    assert 200 < first <= CALL_TIMEOUT * 1000
    assert 0 < second <= 200


async def test_no_call_is_made_after_the_callers_own_deadline(callee: Callee) -> None:
    callee.responses = [answer(200, b"7")]
    restore = current_deadline.set(Deadline.after(0))
    try:
        async with asking(callee) as client:
            with pytest.raises(Unavailable):
                await client.call("GET", "/internal/x", NUMBER, idempotent=True)
            assert client.breaker.state is State.CLOSED
    finally:
        current_deadline.reset(restore)
    assert callee.requests == []


async def test_unreachable_service_is_unavailable() -> None:
    async with http_client() as http:
        client = ServiceClient(http, "users", "http://127.0.0.1:9", TOKEN)
        with pytest.raises(Unavailable) as failure:
            await client.call("GET", "/internal/x", NUMBER, idempotent=True)
    assert failure.value.detail == "The users service does not answer."


async def test_a_call_carries_the_service_token_and_the_trace(callee: Callee) -> None:
    callee.responses = [answer(200, b'{"id": 7, "created_by": 1, "locked": false}')]
    restore = current_trace.set(Trace("request-1", "Root=1-67891233-abcdef012345678912345678"))
    try:
        async with asking(callee) as client:
            await HttpThreads(client).find(7)
    finally:
        current_trace.reset(restore)
    head = callee.requests[0].lower()
    assert head.startswith("get /internal/threads/7 http/1.1\r\n")
    assert f"authorization: bearer {TOKEN}\r\n" in head
    assert "x-request-id: request-1\r\n" in head
    assert "x-amzn-trace-id: root=1-67891233-abcdef012345678912345678\r\n" in head
    assert "x-forwarded-for" not in head


async def test_calls_share_connections(callee: Callee) -> None:
    callee.responses = [answer(200, b"7")]
    async with asking(callee) as client:
        for _ in range(5):
            await client.call("GET", "/internal/x", NUMBER, idempotent=True)
    assert (len(callee.requests), callee.connections) == (5, 1)


async def test_user_of_a_token_is_cached_for_two_seconds(callee: Callee) -> None:
    callee.responses = [answer(200, b'{"id": 7, "role": "member"}')]
    moment = 0.0
    async with asking(callee) as client:
        users = HttpUsers(client, timer=lambda: moment)
        assert await users.authenticate("a token") == Actor(7, "member")
        moment = 1.9
        assert await users.authenticate("a token") == Actor(7, "member")
        assert len(callee.requests) == 1
        moment = 2.1
        callee.responses = [problem(401, "unauthenticated")]
        with pytest.raises(Unauthenticated):
            await users.authenticate("a token")


async def test_invalid_token_is_not_cached(callee: Callee) -> None:
    callee.responses = [
        problem(401, "unauthenticated"),
        answer(200, b'{"id": 7, "role": "member"}'),
    ]
    async with asking(callee) as client:
        users = HttpUsers(client)
        with pytest.raises(Unauthenticated):
            await users.authenticate("a token")
        assert await users.authenticate("a token") == Actor(7, "member")


async def test_each_attempt_of_a_call_is_recorded_in_the_trace(callee: Callee) -> None:
    callee.responses = [hang_up, answer(200, b"7")]
    trace = Trace("request-1", None, [])
    restore = current_trace.set(trace)
    try:
        async with asking(callee) as client:
            await client.call("GET", "/internal/x?after=1", NUMBER, idempotent=True)
    finally:
        current_trace.reset(restore)
    assert trace.calls is not None
    assert [(call.callee, call.method, call.path, call.status) for call in trace.calls] == [
        ("users", "GET", "/internal/x", 0),
        ("users", "GET", "/internal/x", 200),
    ]
    assert all(call.seconds > 0 for call in trace.calls)
