"""While a service that a write needs is down, the write gets a 503, and reads still work. An outage
is never reported as a 404 or as a missing session."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from kernel.calls.settings import CALL_TIMEOUT
from tests.databases import Databases
from tests.deployments import Board, Limits, posts_service, threads_service
from tests.faulty import QUICK, SLOW, Fault, FaultyServer, hanging_up
from tests.people import Person, joining, visiting

LONGEST = 6.0  # two attempts of two seconds and the pause between them, on a busy machine
AS_USUAL = Limits(call_timeout=CALL_TIMEOUT)
NOBODYS_URL = "http://127.0.0.1:9"  # the discard service's port, which is closed

Start = Callable[[str], AbstractAsyncContextManager[str]]
"""Starts a service that calls the faulty service at the given URL. Yields its URL."""


@pytest_asyncio.fixture(scope="module")
async def writer(services: Board) -> AsyncIterator[Person]:
    """A user with a valid session."""
    async with joining(services) as person:
        yield person


async def refuses_writes(http: httpx.AsyncClient, path: str, body: Any, what: str) -> None:
    """The write gets a 503 in bounded time, while reads work as usual."""
    async with asyncio.timeout(LONGEST):
        response, read, ready = await asyncio.gather(
            http.post(path, json=body), http.get(path), http.get("/readyz")
        )
    assert response.status_code == 503, f"{what}: {response.text}"
    assert response.json()["type"] == "/problems/unavailable", what
    assert int(response.headers["retry-after"]) > 0, what
    assert (read.status_code, ready.status_code) == (200, 200), what


async def refuses_writes_whatever_is_wrong(
    services: Board, writer: Person, start: Start, path: str, body: Any
) -> None:
    """Try all faults; those that last until a timeout run at the same time."""

    @asynccontextmanager
    async def beside(faulty_url: str) -> AsyncIterator[httpx.AsyncClient]:
        async with start(faulty_url) as url, visiting(replace(services, url=url)) as http:
            http.headers["Authorization"] = writer.http.headers["Authorization"]
            yield http

    async def quickly() -> None:
        async with FaultyServer(hanging_up).running() as faulty, beside(faulty.url) as http:
            for what, fault in QUICK.items():
                faulty.fault = fault
                await refuses_writes(http, path, body, what)

    async def slowly(what: str, fault: Fault) -> None:
        async with FaultyServer(fault).running() as faulty, beside(faulty.url) as http:
            await refuses_writes(http, path, body, what)

    async def with_nobody_there() -> None:
        async with beside(NOBODYS_URL) as http:
            await refuses_writes(http, path, body, "is not there")

    slow = [slowly(what, fault) for what, fault in SLOW.items()]
    await asyncio.gather(quickly(), with_nobody_there(), *slow)


async def test_without_users_threads_can_be_read_but_not_started(
    databases: Databases, services: Board, writer: Person
) -> None:
    def start(faulty: str) -> AbstractAsyncContextManager[str]:
        return threads_service(databases.urls["threads"], faulty, AS_USUAL)

    body = {"title": "Is anybody there?"}
    await refuses_writes_whatever_is_wrong(services, writer, start, "/api/threads", body)


@pytest.mark.parametrize("faulty_one", ["users", "threads"])
async def test_without_users_or_threads_posts_can_be_read_but_not_written(
    databases: Databases, services: Board, writer: Person, faulty_one: str
) -> None:
    thread = (await writer.start_thread())["id"]

    def start(faulty: str) -> AbstractAsyncContextManager[str]:
        urls = {**services.origins, faulty_one: faulty}
        return posts_service(databases.urls["posts"], urls["users"], urls["threads"], AS_USUAL)

    body = {"thread": thread, "text": "Is anybody there?"}
    await refuses_writes_whatever_is_wrong(services, writer, start, "/api/posts", body)
    assert (await writer.http.get(f"/api/posts/in-thread/{thread}")).json() == []


async def test_wrong_service_token_causes_503_and_is_logged(
    databases: Databases, services: Board, writer: Person, caplog: pytest.LogCaptureFixture
) -> None:
    thread = (await writer.start_thread())["id"]
    origins = services.origins
    wrong = "the token of some other users service"
    async with (
        posts_service(
            databases.urls["posts"], origins["users"], origins["threads"], users_token=wrong
        ) as url,
        visiting(replace(services, url=url)) as http,
    ):
        http.headers["Authorization"] = writer.http.headers["Authorization"]
        with caplog.at_level(logging.WARNING, logger="board.clients"):
            body = {"thread": thread, "text": "Is anybody there?"}
            await refuses_writes(http, "/api/posts", body, "wrong token")
        assert "the users service answered 403" in caplog.text
