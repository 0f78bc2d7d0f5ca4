"""While PostgreSQL is down or hangs, the board returns 503; afterwards it recovers by itself."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio

from kernel.data.database import Database
from kernel.data.hanging import PATIENCE
from kernel.errors import Unavailable
from tests.children import children
from tests.databases import Databases, prepare, running_server
from tests.deployments import monolith_in_loop, services_in_loop
from tests.eventually import eventually
from tests.people import PASSWORD, new_username

DEPLOYMENTS: dict[str, Callable[..., AbstractAsyncContextManager[Any]]] = {
    "monolith": monolith_in_loop,
    "services": services_in_loop,
}
READS = [
    "/api/users", "/api/users/1", "/api/users/me", "/api/threads", "/api/threads/1", "/api/posts",
    "/api/posts/1", "/api/posts/in-thread/1",
]  # fmt: skip


@pytest_asyncio.fixture(scope="module")
async def fragile() -> AsyncIterator[Databases]:
    """A server that the tests of this file stop and start."""
    with running_server() as databases:
        await prepare(databases)
        yield databases


class Processes:
    """The processes of a deployment, called directly, without the gateway."""

    def __init__(self, origins: dict[str, str], http: httpx.AsyncClient) -> None:
        self.origins = origins
        self._http = http
        self.authorization: dict[str, str] = {}

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request to the process that serves this path."""
        name = "users" if path.split("/")[2] == "sessions" else path.split("/")[2]
        url = self.origins.get("monolith") or self.origins[name]
        return await self._http.request(method, url + path, json=body, headers=self.authorization)


async def test_board_returns_503_without_its_database_and_recovers(
    fragile: Databases,
) -> None:
    for name, deployment in DEPLOYMENTS.items():
        async with AsyncExitStack() as stack:
            origins = await stack.enter_async_context(deployment(fragile.urls))
            http = await stack.enter_async_context(httpx.AsyncClient(timeout=20, trust_env=False))
            board = Processes(dict(origins), http)
            who = {"username": new_username(), "password": PASSWORD}
            assert (await board.ask("POST", "/api/users", who)).status_code == 201
            token = (await board.ask("POST", "/api/sessions", who)).json()["token"]
            board.authorization = {"Authorization": f"Bearer {token}"}
            thread = await board.ask("POST", "/api/threads", {"title": "Before"})
            assert thread.status_code == 201

            writes = [
                ("/api/users", {"username": new_username(), "password": PASSWORD}),
                ("/api/sessions", who),
                ("/api/threads", {"title": "Meanwhile"}),
                ("/api/posts", {"thread": thread.json()["id"], "text": "Meanwhile"}),
            ]
            fragile.server.stop()
            try:
                answers = [await board.ask("GET", path) for path in READS]
                answers += [await board.ask("POST", path, body) for path, body in writes]
                probes = [origin for part, origin in origins.items() if part != "web"]
                answers += [await http.get(f"{origin}/readyz") for origin in probes]
                for answer in answers:
                    what = f"{name} {answer.request.method} {answer.url}: {answer.text}"
                    assert answer.status_code == 503, what
                    assert answer.json()["type"] == "/problems/unavailable", what
                    assert int(answer.headers["retry-after"]) > 0, what
                    assert "postgres" not in answer.text.lower(), what
                for origin in probes:
                    assert (await http.get(f"{origin}/livez")).status_code == 200
            finally:
                fragile.server.start()

            async def back() -> bool:
                ready = [await http.get(f"{origin}/readyz") for origin in probes]  # noqa: B023
                return all(answer.status_code == 200 for answer in ready)

            await eventually(back, within=20)
            found = [
                (await board.ask("GET", path)).status_code
                for path in ("/api/users/me", "/api/posts")
            ]
            assert found == [200, 200]
            for path, body in writes:
                assert (await board.ask("POST", path, body)).status_code == 201


class Freezer:
    """Suspends a server: its sockets accept data, but nothing answers."""

    def __init__(self, postmaster: int) -> None:
        self._postmaster = postmaster
        self._frozen: list[int] = []

    def freeze(self) -> None:
        """Suspend all of its processes."""
        self._frozen = [self._postmaster, *children(self._postmaster)]
        for process in self._frozen:
            os.kill(process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them continue."""
        for process in self._frozen:
            os.kill(process, signal.SIGCONT)
        self._frozen = []


@pytest_asyncio.fixture
async def freezer(fragile: Databases) -> AsyncIterator[Freezer]:
    """Suspends the server, which is resumed at the end of the test, or earlier."""
    assert fragile.server._process is not None
    made = Freezer(fragile.server._process.pid)
    yield made
    made.thaw()


def impatient(databases: Databases) -> AbstractAsyncContextManager[Database]:
    """A database with short timeouts."""
    return Database.open(databases.urls["users"], acquire_timeout=0.5, command_timeout=0.5)


@pytest.mark.parametrize("connected", [True, False])
async def test_hanging_database_causes_503_in_bounded_time(
    fragile: Databases, freezer: Freezer, connected: bool
) -> None:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(impatient(fragile))
        if connected:
            assert await database.row("SELECT 1") is not None
        freezer.freeze()
        async with asyncio.timeout(9):  # less than the default of a statement
            with pytest.raises(Unavailable):
                await database.row("SELECT 1")
            await stack.aclose()  # closing the client does not take longer either


async def test_hanging_database_is_noticed_long_before_the_limit_of_a_statement(
    fragile: Databases, freezer: Freezer
) -> None:
    limits = {"acquire_timeout": 3600.0, "command_timeout": 3600.0}
    async with Database.open(fragile.urls["users"], size=2, **limits) as database:
        async with database.connection() as one, database.connection() as other:
            assert [await each.fetchval("SELECT 1") for each in (one, other)] == [1, 1]
        freezer.freeze()
        # Two have a connection, the others wait for one.
        statements = (database.row("SELECT 1") for _ in range(4))
        async with asyncio.timeout(60):
            found = await asyncio.gather(*statements, return_exceptions=True)
        assert [type(each) for each in found] == [Unavailable] * 4


async def test_pool_recovers_after_a_hang_and_cancelled_requests(
    fragile: Databases, freezer: Freezer
) -> None:
    async with Database.open(fragile.urls["users"], size=1) as database:
        assert await database.row("SELECT 1") is not None
        freezer.freeze()
        cancelled = asyncio.create_task(database.row("SELECT 1"))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        freezer.thaw()

        async def answers() -> bool:
            try:
                return await database.row("SELECT 1") is not None
            except Unavailable:
                return False

        await eventually(answers)


async def test_slow_statement_is_not_taken_for_a_hang(fragile: Databases) -> None:
    async with Database.open(fragile.urls["users"]) as database:
        row = await database.row("SELECT pg_sleep($1), 7 AS seven", 3 * PATIENCE)
        assert row is not None
        assert row["seven"] == 7


async def test_exhausted_pool_causes_503_in_bounded_time(fragile: Databases) -> None:
    async with Database.open(fragile.urls["users"], size=2, acquire_timeout=0.3) as database:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(database.connection())
            with pytest.raises(Unavailable):
                async with asyncio.timeout(9):  # less than the default of a statement
                    await database.row("SELECT 1")
        assert await database.row("SELECT 1") is not None
