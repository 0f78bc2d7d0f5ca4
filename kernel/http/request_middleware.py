"""The outermost layer of every process, which all its responses pass."""

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.errors import InternalError
from kernel.http import problems
from kernel.http.operations import PATHS
from kernel.http.response_fields import Field, collect_fields
from kernel.process.lifecycle import Lifecycle
from kernel.process.logs import redact
from kernel.process.shortcut import Shortcut
from kernel.process.telemetry import Telemetry
from kernel.process.tracing import InnerCall, Trace, begin, current_trace

log = logging.getLogger("board.request")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_CLIENT_CLOSED_REQUEST: Final = 499
"""The status in the log for a client that disconnected before its response, as nginx writes it."""

_DEFAULTS: Final[tuple[Field, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""Header fields of every response, unless it has its own."""

_JSON: Final = (b"content-type", b"application/json")
# Explicit for clients that guess; RFC 8259 allows no other encoding.
_JSON_IN_UTF_8: Final = (b"content-type", b"application/json; charset=utf-8")


# Another service sent the first part. A quoted string has no quotes, backslashes or controls.
_NOT_QUOTABLE: Final = re.compile(r"[^ !#-\[\]-~]")


class RequestMiddleware:
    """Gives each request an id, and adds to each response the id, security headers, a log line and
    metrics. An unexpected exception becomes a 500 problem and a stack trace in the log.

    With `served_by`, responses also name this process, and the calls to other services that were
    made before the response began: one `call` of Server-Timing for each, in milliseconds.

    `always` are the fields that every response has. `shortcut` may answer instead of this and all
    inner layers, if it is set."""

    def __init__(
        self, app: ASGIApp, telemetry: Telemetry, lifecycle: Lifecycle, served_by: str | None
    ) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._telemetry = telemetry
        self.always: list[Field] = []
        if served_by is not None:
            self.always.append((b"x-served-by", served_by.encode()))
        self.shortcut: Shortcut | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = _trace(scope["headers"], [] if self.always else None)
        token = current_trace.set(trace)
        method, path = scope["method"], scope["path"]
        logged_path = redact(path)
        collected = collect_fields(scope)
        started = time.perf_counter()
        status = 0

        async def send_with_fields(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._complete(message["headers"], collected, trace)
            await send(message)

        self._telemetry.begin()
        try:
            await self._app(scope, receive, send_with_fields)
        except asyncio.CancelledError:
            status = status or _CLIENT_CLOSED_REQUEST
            raise
        except Exception:
            log.exception("%s %s failed", method, logged_path)
            if status == 0:
                failure = InternalError("The request was not carried out. It has been logged.")
                await problems.response(failure, path)(scope, receive, send_with_fields)
        finally:
            seconds = time.perf_counter() - started
            operation = getattr(scope.get("route"), "path", "unknown")
            counted = method if method in _METHODS else "other"
            self._telemetry.end(operation, counted, status, seconds)
            if not (
                path in PATHS and status == 200
            ):  # not successful health checks, which are too many
                log.info("%s %s %d %.1f ms", method, logged_path, status, seconds * 1000)
            current_trace.reset(token)

    def _complete(self, fields: list[Field], collected: list[Field], trace: Trace) -> list[Field]:
        added = [(b"x-request-id", trace.request_id.encode()), *self.always]
        if trace.calls:
            added.append((b"server-timing", _server_timing(trace.calls)))
        completed = complete(fields, added, collected)
        if self._lifecycle.draining:
            # So a pooled connection ends after a response, never during a request.
            completed.append((b"connection", b"close"))
        return completed


def complete(
    fields: Sequence[Field], added: Sequence[Field], collected: Sequence[Field]
) -> list[Field]:
    """The fields of a response, those added to every response, and of the collected ones and the
    defaults those whose name the response does not have."""
    names = {name for name, _ in fields}
    completed = [_JSON_IN_UTF_8 if field == _JSON else field for field in fields]
    completed += added
    completed += [field for field in (*collected, *_DEFAULTS) if field[0] not in names]
    return completed


def _server_timing(calls: list[InnerCall]) -> bytes:
    """The value of a Server-Timing field (W3C Server Timing), with a metric for each call."""
    metrics = []
    for call in calls:
        described = f"{call.callee} {call.method} {call.path} {call.status or 'no-answer'}"
        safe = _NOT_QUOTABLE.sub("_", described)
        metrics.append(f'call;dur={call.seconds * 1000:.1f};desc="{safe}"')
    return ", ".join(metrics).encode("ascii")


def _trace(headers: list[Field], calls: list[InnerCall] | None) -> Trace:
    request_id = trace_id = None
    for name, value in headers:
        if name == b"x-request-id":
            request_id = request_id or value.decode("latin-1")
        elif name == b"x-amzn-trace-id":
            trace_id = trace_id or value.decode("latin-1")
    return begin(request_id, trace_id, calls)
