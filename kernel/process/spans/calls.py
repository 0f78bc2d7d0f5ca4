"""A span for each call to another service."""

import re
from typing import Final

import httpx
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from kernel.process.spans.propagation import TRACEPARENT, write
from kernel.process.spans.tracer import measured

_ID: Final = re.compile(r"(?<=/)\d+(?=/|$)")
_CLIENT_ERROR: Final = 400


class CallSpans(httpx.AsyncBaseTransport):
    """A transport with a span for each call, whose ids it sends to the service."""

    def __init__(self, transport: httpx.AsyncBaseTransport, tracer: Tracer) -> None:
        self._transport = transport
        self._tracer = tracer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Call the service in a span."""
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
