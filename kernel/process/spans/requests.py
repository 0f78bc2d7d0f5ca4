"""A span for each request that a process answers."""

from collections.abc import Collection

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
    use_span,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.process.spans.export import Ratio, trace_id_of_the_next_root
from kernel.process.spans.propagation import Remote, read
from kernel.process.spans.tracer import Tracing

_INTERNAL = "/internal/"
_SERVER_ERROR = 500


class RequestSpans:
    """The outermost layer of a process whose spans are exported. Its span continues the caller's
    trace. Requests for `unmeasured` paths, such as health checks, have no span.

    Only other services decide whether their traces are recorded. For all other requests the ratio
    decides, so a client cannot have every request of its own recorded."""

    def __init__(self, app: ASGIApp, tracing: Tracing, unmeasured: Collection[str]) -> None:
        self._app = app
        self._tracer = tracing.tracer
        self._ratio = Ratio(tracing.ratio)
        self._unmeasured = unmeasured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A trailing slash means the same operation.
        if scope["type"] != "http" or scope["path"].removesuffix("/") in self._unmeasured:
            await self._app(scope, receive, send)
            return
        span = self._start(scope)
        if not span.is_recording():
            with use_span(span):
                await self._app(scope, receive, send)
            return
        status = 0

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            try:
                await self._app(scope, receive, send_and_look)
            finally:
                _describe(span, scope, status)

    def _start(self, scope: Scope) -> Span:
        remote = _read(scope)
        context = Context()
        if remote is not None and remote.parent:
            obeyed = remote.sampled if scope["path"].startswith(_INTERNAL) else None
            sampled = self._ratio.includes(remote.trace) if obeyed is None else obeyed
            caller = SpanContext(
                remote.trace,
                remote.parent,
                is_remote=True,
                trace_flags=TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT),
            )
            context = set_span_in_context(NonRecordingSpan(caller), context)
        with trace_id_of_the_next_root(None if remote is None else remote.trace):
            return self._tracer.start_span(scope["method"], context, SpanKind.SERVER)


def _describe(span: Span, scope: Scope, status: int) -> None:
    # The route is known after the request was answered; its path has the names of parameters, not
    # their values, which may be secrets.
    route = getattr(scope.get("route"), "path", None)
    if route is not None:
        span.update_name(f"{scope['method']} {route}")
        span.set_attribute("http.route", route)
    span.set_attribute("http.request.method", scope["method"])
    if status:
        span.set_attribute("http.response.status_code", status)
    if status >= _SERVER_ERROR or not status:
        span.set_status(Status(StatusCode.ERROR))


def _read(scope: Scope) -> Remote | None:
    traceparent = x_amzn_trace_id = None
    for name, value in scope["headers"]:
        if name == b"traceparent":
            traceparent = value.decode("latin-1")
        elif name == b"x-amzn-trace-id":
            x_amzn_trace_id = value.decode("latin-1")
    return read(traceparent, x_amzn_trace_id)
