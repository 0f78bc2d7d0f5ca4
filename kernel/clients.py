"""The contracts of `kernel.contracts` over HTTP."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import httpx
from cachetools import TTLCache
from pydantic import TypeAdapter, ValidationError

from kernel.calls import deadline
from kernel.calls.addresses import Addresses
from kernel.calls.breaker import Breaker
from kernel.calls.settings import CALL_TIMEOUT
from kernel.contracts import (
    Activity,
    Actor,
    KeyedAct,
    Moderator,
    Removals,
    ReportedPost,
    ThreadRef,
)
from kernel.errors import Banned, Conflict, Failure, NotFound, Unauthenticated, Unavailable
from kernel.http import problems
from kernel.process.spans.tracer import installed
from kernel.process.tracing import InnerCall, current_trace, identify

log = logging.getLogger("board.clients")

ATTEMPTS = 2
"""How many attempts an idempotent call has, if the first one fails early. Other calls have one."""

PAUSE = 0.1
"""Seconds between two attempts at the same process. Another copy is tried at once."""

CACHED_SECONDS = 2
"""Seconds for which the user of a session token is cached. A ban or a sign-out applies everywhere
after that time."""

CONTRACT_FAILURES = (Unauthenticated, Banned, NotFound)
"""The failures that every call may raise. An operation may name more."""

Result = TypeVar("Result")


@asynccontextmanager
async def http_client(call_timeout: float = CALL_TIMEOUT) -> AsyncIterator[httpx.AsyncClient]:
    """The HTTP client of a process, which all calls to other services share. `call_timeout` is how
    many seconds a call may take, with all its attempts."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)
    # Proxies in the environment are for the internet, not for calls between services.
    transport = _with_spans(httpx.AsyncHTTPTransport(limits=limits, trust_env=False))
    async with httpx.AsyncClient(
        transport=transport, timeout=call_timeout, trust_env=False
    ) as client:
        yield client


def _with_spans(transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
    tracing = installed()
    if tracing is None:
        return transport
    from kernel.process.spans.calls import CallSpans  # imports OpenTelemetry

    return CallSpans(transport, tracing.tracer)


@dataclass(frozen=True, slots=True)
class Known(Generic[Result]):
    """What a service has shown, with its ETag and its size in bytes."""

    tag: str
    size: int
    value: Result


class ServiceClient:
    """Calls one other service of the board, at `url`, with the service token that it accepts.

    Each call says how long this process waits for it. While the service fails, a circuit breaker
    makes calls fail at once."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        name: str,
        url: str,
        token: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`url` may have several URLs with commas between, one for each copy of the service; they
        get calls in turn. `clock` returns seconds and is monotonic."""
        self.breaker = Breaker(name, clock)
        self._client = client
        self._seconds = client.timeout.read or CALL_TIMEOUT
        self._name = name
        self._addresses = Addresses(url, clock)
        self._authorization = f"Bearer {token}"

    async def call(
        self,
        method: str,
        path: str,
        result: TypeAdapter[Result],
        *,
        body: bytes | None = None,
        idempotent: bool,
        patience: float = 0,
        failures: Collection[type[Failure]] = CONTRACT_FAILURES,
    ) -> Result:
        """Call the service, and return the response as `result`. Raises the one of `failures` that
        the service's problem document names, and `Unavailable` if the response cannot be understood
        or does not arrive, or if the caller's own deadline has passed. The service may take
        `patience` seconds longer than usual; such a call waits for an event, so how it ends says
        nothing to the circuit breaker."""

        def read(response: httpx.Response) -> Result:
            return self._read(response, result, failures)

        return await self._repeat(
            method, path, read, body=body, attempts=ATTEMPTS if idempotent else 1, patience=patience
        )

    async def revalidate(
        self,
        path: str,
        result: TypeAdapter[Result],
        known: Known[Result] | None,
        failures: Collection[type[Failure]] = CONTRACT_FAILURES,
    ) -> Known[Result]:
        """What the path shows: `known` itself if the service answers that it has not changed (304).
        Raises what `call` raises."""
        condition = {} if known is None else {"If-None-Match": known.tag}

        def read(response: httpx.Response) -> Known[Result]:
            if response.status_code == HTTPStatus.NOT_MODIFIED and known is not None:
                return known
            value = self._read(response, result, failures)
            return Known(response.headers.get("etag", ""), len(response.content), value)

        return await self._repeat("GET", path, read, attempts=ATTEMPTS, condition=condition)

    async def _repeat(
        self,
        method: str,
        path: str,
        read: Callable[[httpx.Response], Result],
        *,
        body: bytes | None = None,
        attempts: int,
        patience: float = 0,
        condition: Mapping[str, str] = MappingProxyType({}),
    ) -> Result:
        end = deadline.Deadline.after(self._seconds + patience)
        for attempt in range(1, attempts + 1):
            seconds = deadline.shortened(end.remaining())
            if seconds <= 0:
                raise Unavailable("The time for this request is over.")
            url = self._addresses.choose()
            # What one copy does not answer says nothing of a service whose other copy is next.
            only = len(self._addresses) == 1
            counts = only or attempt == attempts
            try:
                with nullcontext() if patience else self.breaker.call(counts=counts):
                    try:
                        return read(await self._try(method, url + path, body, seconds, condition))
                    except Unavailable:
                        self._addresses.failed(url)
                        raise
            except Unavailable as down:
                if attempt == attempts or end.remaining() <= PAUSE or self.breaker.refuses:
                    raise
                log.warning("%s; trying again", down.detail)
                if only:
                    await asyncio.sleep(PAUSE)
        raise AssertionError("unreachable")

    async def _try(
        self,
        method: str,
        url: str,
        body: bytes | None,
        seconds: float,
        condition: Mapping[str, str],
    ) -> httpx.Response:
        trace = current_trace.get()
        headers = {
            "Authorization": self._authorization,
            "Content-Type": "application/json",
            deadline.FIELD: deadline.write(seconds),
            **condition,
        }
        if trace is not None:
            headers |= trace.headers()
        response = None
        started = time.perf_counter()
        try:
            # httpx limits each read, not the whole response, which could send one byte per second.
            async with asyncio.timeout(seconds):
                response = await self._client.request(
                    method,
                    url,
                    content=body,
                    headers=headers,
                    timeout=seconds,
                )
            return response
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"The {self._name} service does not answer.") from error
        finally:
            if trace is not None and trace.calls is not None:
                seconds = time.perf_counter() - started
                trace.record(self._inner_call(method, urlsplit(url).path, response, seconds))

    def _read(
        self,
        response: httpx.Response,
        result: TypeAdapter[Result],
        failures: Collection[type[Failure]],
    ) -> Result:
        if not response.is_success:
            raise self._failure(response, failures)
        try:
            return result.validate_json(response.content)
        except ValidationError as error:
            raise Unavailable(f"The {self._name} service answers what nobody can read.") from error

    def _inner_call(
        self, method: str, path: str, response: httpx.Response | None, seconds: float
    ) -> InnerCall:
        if response is None:
            return InnerCall(self._name, method, path, 0, seconds)
        callee = response.headers.get("x-served-by", self._name)
        return InnerCall(callee, method, path, response.status_code, seconds)

    def _failure(self, response: httpx.Response, failures: Collection[type[Failure]]) -> Failure:
        failure = problems.read(response.status_code, response.content)
        if failure is not None and type(failure) in failures:
            return failure
        # Anything else, such as a wrong service token or path or an older version, says nothing
        # about the resource.
        log.warning("the %s service answered %d", self._name, response.status_code)
        return Unavailable(f"The {self._name} service cannot answer.")


_ACTOR = TypeAdapter(Actor)
_THREAD = TypeAdapter(ThreadRef)
_NOTHING = TypeAdapter(None)
_REMOVALS = TypeAdapter(Removals)
_ACTIVITIES = TypeAdapter(Sequence[Activity])
_TOKEN = TypeAdapter(str)
_IDS = TypeAdapter(Sequence[int])
_MODERATORS = TypeAdapter(Sequence[Moderator])
_REPORTED_POST = TypeAdapter(ReportedPost)
_ACT = TypeAdapter(KeyedAct)


class HttpUsers:
    """`kernel.contracts.Users` over HTTP. Caches the user of a token for two seconds."""

    def __init__(self, service: ServiceClient, timer: Callable[[], float] = time.monotonic) -> None:
        self._service = service
        self._cache: TTLCache[bytes, Actor] = TTLCache(10_000, CACHED_SECONDS, timer)

    async def authenticate(self, token: str) -> Actor:
        """The user of this session token, cached. Raises `Unauthenticated`, `Banned`, and
        `Unavailable`."""
        key = hashlib.sha256(token.encode(errors="replace")).digest()
        actor = self._cache.get(key)
        if actor is None:
            actor = await self._service.call(
                "POST",
                "/internal/users/authenticate",
                _ACTOR,
                body=_TOKEN.dump_json(token),
                idempotent=True,
            )
            self._cache[key] = actor
        identify(actor.id)
        return actor


class HttpThreads:
    """`kernel.contracts.Threads` over HTTP."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def find(self, thread: int) -> ThreadRef:
        """The thread. Raises `NotFound`, and `Unavailable`."""
        path = f"/internal/threads/{thread}"
        return await self._service.call("GET", path, _THREAD, idempotent=True)

    async def record_activity(self, activities: Sequence[Activity]) -> None:
        """Store activities. Raises `Unavailable`; may be repeated, because versions only grow."""
        body = _ACTIVITIES.dump_json(activities)
        path = "/internal/threads/activity"
        await self._service.call("PUT", path, _NOTHING, body=body, idempotent=True)

    async def removed(self, after: int, patience: float) -> Removals:
        """The threads removed since `after`. Waits at most `patience` seconds for one. Raises
        `Unavailable`."""
        path = f"/internal/threads/removed?after={after}&patience={patience:g}"
        return await self._service.call("GET", path, _REMOVALS, idempotent=True, patience=patience)


class HttpUserModeration:
    """`kernel.contracts.UserModeration` over HTTP."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def moderators(self) -> Sequence[Moderator]:
        """The moderators and admins who are not banned, by id. Raises `Unavailable`."""
        path = "/internal/users/moderators"
        return await self._service.call("GET", path, _MODERATORS, idempotent=True)

    async def departed(self, users: Sequence[int]) -> Sequence[int]:
        """Those of these users who have deleted their accounts. Raises `Unavailable`."""
        path, body = "/internal/users/departed", _IDS.dump_json(users)
        return await self._service.call("POST", path, _IDS, body=body, idempotent=True)

    async def ban_user(self, user: int, moderator: int, reason: str, key: str) -> None:
        """Ban the user, once for each `key`. Raises `NotFound`, `Conflict`, and `Unavailable`."""
        await _carry_out(self._service, f"/internal/users/{user}/ban", moderator, reason, key)


class HttpThreadModeration:
    """`kernel.contracts.ThreadModeration` over HTTP."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def lock_thread(self, thread: int, moderator: int, reason: str, key: str) -> None:
        """Lock the thread, once for each `key`. Raises `NotFound`, and `Unavailable`."""
        await _carry_out(self._service, f"/internal/threads/{thread}/lock", moderator, reason, key)


class HttpPosts:
    """`kernel.contracts.Posts` over HTTP."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def post_for_case(self, post: int) -> ReportedPost:
        """The post, even if it was removed. Raises `NotFound`, and `Unavailable`."""
        path = f"/internal/posts/{post}"
        return await self._service.call("GET", path, _REPORTED_POST, idempotent=True)

    async def remove_post(self, post: int, moderator: int, reason: str, key: str) -> None:
        """Remove the post, once for each `key`. Raises `NotFound`, and `Unavailable`."""
        await _carry_out(self._service, f"/internal/posts/{post}/removal", moderator, reason, key)


async def _carry_out(
    service: ServiceClient, path: str, moderator: int, reason: str, key: str
) -> None:
    # Idempotent by its key.
    body = _ACT.dump_json(KeyedAct(moderator, reason, key))
    failures = (*CONTRACT_FAILURES, Conflict)
    await service.call("PUT", path, _NOTHING, body=body, idempotent=True, failures=failures)
