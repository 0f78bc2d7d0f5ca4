"""A span for each call to another service."""

import re
import secrets
from typing import Final

import httpx
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, get_current_span

from kernel.process.spans.propagation import TRACEPARENT, write
from kernel.process.spans.tracer import measured

_ID: Final = re.compile(r"(?<=/)\d+(?=/|$)")
_CLIENT_ERROR: Final = 400


class CallSpans(httpx.AsyncBaseTransport):
    """A transport with a span for each call, whose ids it sends to the service. A call outside of
    a span polls for work: it has none, and asks the service to record none."""

    def __init__(self, transport: httpx.AsyncBaseTransport, tracer: Tracer) -> None:
        self._transport = transport
        self._tracer = tracer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Call the service."""
        if not get_current_span().get_span_context().is_valid:
            trace, span_id = secrets.randbits(128) or 1, secrets.randbits(64) or 1
            request.headers[TRACEPARENT] = write(trace, span_id, sampled=False)
            return await self._transport.handle_async_request(request)
        template = _ID.sub("{id}", request.url.path)
        name = f"{request.method} {template}"
        with measured(self._tracer, name, SpanKind.CLIENT) as span:
            context = span.get_span_context()
            request.headers[TRACEPARENT] = write(
                context.trace_id, context.span_id, sampled=context.trace_flags.sampled
            )
            span.set_attribute("http.request.method", request.method)
            span.set_attribute("url.template", template)
            span.set_attribute("server.address", request.url.host)
            if request.url.port is not None:
                span.set_attribute("server.port", request.url.port)
            response = await self._transport.handle_async_request(request)
            span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= _CLIENT_ERROR:
                span.set_status(Status(StatusCode.ERROR))
            return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()
