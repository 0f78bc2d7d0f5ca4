"""Builds the ASGI application of a process from the routers of one context, or of all."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Response
from prometheus_client.registry import Collector
from starlette.types import ASGIApp

from kernel.cache.changes import Changes
from kernel.calls.breaker import Breaker
from kernel.calls.metrics import BreakerMetrics
from kernel.errors import Policy
from kernel.http import documents, operations
from kernel.http.addresses.limit import AddressLimit
from kernel.http.auth import FetchMetadata, SameOrigin
from kernel.http.conditional.response_cache import ResponseCache
from kernel.http.hits import Hits
from kernel.http.input.bodies import DeclaredLength
from kernel.http.input.deadline import CallDeadline
from kernel.http.paths import RequestNormalizer
from kernel.http.request_middleware import RequestMiddleware
from kernel.http.routes import RouteTable
from kernel.process.lifecycle import Check, Lifecycle
from kernel.process.settings import ProcessSettings
from kernel.process.spans.tracer import installed
from kernel.process.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Context:
    """One context as served by a process. `check` raises `Unavailable` while the context cannot
    serve. `changes` are the changes of its data. `public` has the operations under `/api`;
    `internal` those for other services, if any. `metrics` are those of its own."""

    name: str
    description: str
    check: Check
    changes: Changes
    public: APIRouter
    internal: APIRouter | None = None
    metrics: Sequence[Collector] = ()


def create_app(
    process: str,
    contexts: Sequence[Context],
    settings: ProcessSettings,
    lifecycle: Lifecycle,
    extra: APIRouter | None = None,
    breakers: Sequence[Breaker] = (),
) -> ASGIApp:
    """The application of the process with this name. It is ready when every context is. `extra` has
    operations that belong to no context, `breakers` are those of the services that it calls."""
    telemetry = Telemetry(process)
    routers = [operations.router(lifecycle, [c.check for c in contexts], telemetry.registry)]
    for context in contexts:
        routers += [_document_router(context), context.public]
        if context.internal is not None:
            routers.append(context.internal)
    if extra is not None:
        routers.append(extra)
    served_by = f"{process}/{settings.instance}" if settings.show_instance else None
    table = RouteTable(routers)
    changes = [context.changes for context in contexts]
    cache = ResponseCache(table, changes, table.is_shared, settings.response_cache_bytes)
    metrics = [collector for context in contexts for collector in context.metrics]
    telemetry.include(cache, BreakerMetrics(breakers), *metrics)
    normalized = DeclaredLength(RequestNormalizer(cache))
    same_origin = SameOrigin(normalized, settings.public_origin)
    policy = Policy("address", settings.address_limit, settings.address_window)
    limited = AddressLimit(same_origin, policy, settings.trusted_networks)
    bounded = CallDeadline(FetchMetadata(limited))
    answering = RequestMiddleware(bounded, telemetry, lifecycle, served_by)
    answering.shortcut = Hits(cache, limited, telemetry, lifecycle, answering.always)
    tracing = installed()
    if tracing is None:
        return answering
    from kernel.process.spans.requests import RequestSpans  # imports OpenTelemetry

    return RequestSpans(answering, tracing, operations.PATHS)


def _document_router(context: Context) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    making = asyncio.Lock()
    body = b""

    # Made when it is first requested: making all documents would take a fifth of the monolith's
    # start. In a thread, because one takes 40 ms.
    @routes.get(f"/api/{context.name}/openapi.json")
    async def openapi() -> Response:
        nonlocal body
        async with making:
            body = body or await asyncio.to_thread(_document, context)
        return Response(body, media_type="application/json")

    return routes


def _document(context: Context) -> bytes:
    return documents.encode(documents.document(context.name, context.description, context.public))
