"""The contracts of `kernel.contracts` over HTTP."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import httpx
from cachetools import TTLCache
from pydantic import TypeAdapter, ValidationError

from kernel.contracts import Activity, Actor, Removals, ThreadRef
from kernel.errors import Banned, Failure, NotFound, Unauthenticated, Unavailable
from kernel.http import problems
from kernel.process.tracing import current_trace

log = logging.getLogger("board.clients")

ATTEMPT_TIMEOUT = 2.0
"""Seconds for one try of a call, from connecting to the last byte."""

ATTEMPTS = 2
"""Tries of an idempotent call. Any other call has one."""

PAUSE = 0.1
"""Seconds between two tries."""

REMEMBERED_SECONDS = 2
"""How long who holds a session token is remembered: a ban or sign-out holds everywhere by then."""

Answer = TypeVar("Answer")


@asynccontextmanager
async def http_client() -> AsyncIterator[httpx.AsyncClient]:
    """The one HTTP client of a process, with its connections and their limits."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)
    timeout = httpx.Timeout(ATTEMPT_TIMEOUT, connect=1.0)
    # Proxies of the environment are for the world outside, not for a neighbour.
    async with httpx.AsyncClient(limits=limits, timeout=timeout, trust_env=False) as client:
        yield client


class Neighbour:
    """Another service of the board: where it is, and the secret that it knows us by."""

    def __init__(self, client: httpx.AsyncClient, name: str, url: str, token: str) -> None:
        self._client = client
        self._name = name
        self._url = url
        self._authorization = f"Bearer {token}"

    async def ask(
        self,
        method: str,
        path: str,
        answer: TypeAdapter[Answer],
        *,
        body: bytes | None = None,
        idempotent: bool,
        patience: float = 0,
    ) -> Answer:
        """The answer to one call. Raises the failure that the service tells of, and `Unavailable`
        when it tells nothing that can be understood: it is down, hangs, or answers garbage. The
        service may take `patience` seconds more than an answer usually does."""
        attempts = ATTEMPTS if idempotent else 1
        for attempt in range(1, attempts + 1):
            try:
                return await self._try(method, path, answer, body, ATTEMPT_TIMEOUT + patience)
            except Unavailable as down:
                if attempt == attempts:
                    raise
                log.warning("%s; trying again", down.detail)
                await asyncio.sleep(PAUSE)
        raise AssertionError("unreachable")

    async def _try(
        self,
        method: str,
        path: str,
        answer: TypeAdapter[Answer],
        body: bytes | None,
        seconds: float,
    ) -> Answer:
        trace = current_trace.get()
        headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
        if trace is not None:
            headers |= trace.headers()
        try:
            # httpx bounds each read, not the whole: a byte a second would hold us for ever.
            async with asyncio.timeout(seconds):
                response = await self._client.request(
                    method,
                    self._url + path,
                    content=body,
                    headers=headers,
                    timeout=httpx.Timeout(seconds, connect=1.0),
                )
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"The {self._name} service does not answer.") from error
        if not response.is_success:
            raise self._failure(response)
        try:
            return answer.validate_json(response.content)
        except ValidationError as error:
            raise Unavailable(f"The {self._name} service answers what nobody can read.") from error

    def _failure(self, response: httpx.Response) -> Failure:
        told = problems.read(response.status_code, response.content)
        if told is not None and type(told) in _TOLD:
            return told
        # Whatever else it is, a wrong service token or path or an older version, it says nothing
        # about what was asked for.
        log.warning("the %s service answered %d", self._name, response.status_code)
        return Unavailable(f"The {self._name} service cannot answer.")


_TOLD = (Unauthenticated, Banned, NotFound)
"""The failures that the contracts name."""

_ACTOR = TypeAdapter(Actor)
_THREAD = TypeAdapter(ThreadRef)
_NOTHING = TypeAdapter(None)
_REMOVALS = TypeAdapter(Removals)
_ACTIVITIES = TypeAdapter(Sequence[Activity])
_TOKEN = TypeAdapter(str)


class HttpUsers:
    """`kernel.contracts.Users`, asked over HTTP and remembered for two seconds."""

    def __init__(self, neighbour: Neighbour, timer: Callable[[], float] = time.monotonic) -> None:
        self._neighbour = neighbour
        self._remembered: TTLCache[bytes, Actor] = TTLCache(10_000, REMEMBERED_SECONDS, timer)

    async def authenticate(self, token: str) -> Actor:
        """See `kernel.contracts.Users`."""
        key = hashlib.sha256(token.encode(errors="replace")).digest()
        actor = self._remembered.get(key)
        if actor is None:
            actor = await self._neighbour.ask(
                "POST",
                "/internal/users/authenticate",
                _ACTOR,
                body=_TOKEN.dump_json(token),
                idempotent=True,
            )
            self._remembered[key] = actor
        return actor


class HttpThreads:
    """`kernel.contracts.Threads` over HTTP."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour

    async def find(self, thread: int) -> ThreadRef:
        """See `kernel.contracts.Threads`."""
        path = f"/internal/threads/{thread}"
        return await self._neighbour.ask("GET", path, _THREAD, idempotent=True)

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        """See `kernel.contracts.Threads`."""
        body = _ACTIVITIES.dump_json(activities)
        path = "/internal/threads/activity"
        await self._neighbour.ask("PUT", path, _NOTHING, body=body, idempotent=True)

    async def removed(self, after: int, patience: float) -> Removals:
        """See `kernel.contracts.Threads`."""
        path = f"/internal/threads/removed?after={after}&patience={patience:g}"
        return await self._neighbour.ask("GET", path, _REMOVALS, idempotent=True, patience=patience)
