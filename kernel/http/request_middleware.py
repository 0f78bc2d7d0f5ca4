"""The outermost layer of every process: what all of its answers have in common."""

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.errors import InternalError
from kernel.http import problems
from kernel.http.operations import PATHS
from kernel.process.lifecycle import Lifecycle
from kernel.process.logs import redact
from kernel.process.telemetry import Telemetry
from kernel.process.tracing import begin, current_trace

log = logging.getLogger("board.request")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_JSON = "application/json"

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class RequestMiddleware:
    """Gives each request an id, and adds to each response the id, security headers, a log line and
    metrics. An exception nobody expected becomes a 500 problem and a stack trace in the log."""

    def __init__(
        self, app: ASGIApp, telemetry: Telemetry, lifecycle: Lifecycle, served_by: str | None
    ) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._telemetry = telemetry
        self._served_by = served_by

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_headers = Headers(scope=scope)
        trace = begin(request_headers.get("x-request-id"), request_headers.get("x-amzn-trace-id"))
        token = current_trace.set(trace)
        method, path = scope["method"], scope["path"]
        logged_path = redact(path)
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = trace.request_id
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if self._served_by is not None:
                    headers["X-Served-By"] = self._served_by
                headers.setdefault("Cache-Control", "no-store")
                if headers.get("content-type") == _JSON:
                    # Said aloud for clients that guess; RFC 8259 knows no other encoding.
                    headers["Content-Type"] = f"{_JSON}; charset=utf-8"
                if self._lifecycle.draining:
                    # A pooled connection then ends with an answer, never under a request.
                    headers["Connection"] = "close"
            await send(message)

        self._telemetry.begin()
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            log.exception("%s %s failed", method, logged_path)
            if status == 0:
                failure = InternalError("The request was not carried out. It has been logged.")
                await problems.response(failure, path)(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            route = scope.get("route")
            operation = getattr(route, "path", "unknown")
            counted = method if method in _METHODS else "other"
            self._telemetry.end(operation, counted, status, seconds)
            if not (path in PATHS and status == 200):  # health checks would drown the rest
                log.info("%s %s %d %.1f ms", method, logged_path, status, seconds * 1000)
            current_trace.reset(token)
