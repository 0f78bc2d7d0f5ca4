"""Makes the ASGI application of a process out of the routers of one context, or of all."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from kernel.data.idempotency import Replayed
from kernel.errors import (
    Failure,
    MalformedRequest,
    MethodNotAllowed,
    NoSuchPath,
    Policy,
    Unavailable,
)
from kernel.http import documents, operations, problems
from kernel.http.address_limit import AddressLimit
from kernel.http.auth import SameOrigin
from kernel.http.conditional.revalidation import Revalidation
from kernel.http.idempotency import to_response
from kernel.http.input import validation
from kernel.http.input.bodies import LARGEST_BODY, DeclaredLength, too_large
from kernel.http.paths import MethodTable, RequestNormalizer
from kernel.http.request_middleware import RequestMiddleware
from kernel.process.lifecycle import Check, Lifecycle
from kernel.process.settings import ProcessSettings
from kernel.process.telemetry import Telemetry

log = logging.getLogger("board.web")


@dataclass(frozen=True, slots=True)
class Context:
    """One context as a process serves it. `check` raises `Unavailable` while the context cannot
    serve. `public` has the operations under `/api`; `internal` those for other services, if any."""

    name: str
    description: str
    check: Check
    public: APIRouter
    internal: APIRouter | None = None


def create_app(
    process: str,
    contexts: Sequence[Context],
    settings: ProcessSettings,
    lifecycle: Lifecycle,
    extra: APIRouter | None = None,
) -> ASGIApp:
    """The application of the process of this name. It is ready when every context is; `extra` are
    operations that belong to no context."""
    telemetry = Telemetry(process)
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        max_body_size=LARGEST_BODY,
        exception_handlers={
            Failure: _on_failure,
            Replayed: _on_replay,
            RequestValidationError: _on_validation_error,
            HTTPException: _on_http_exception,
        },
    )
    made = [documents.document(c.name, c.description, c.public) for c in contexts]
    app.state.methods = MethodTable(made)
    app.include_router(
        operations.router(lifecycle, [c.check for c in contexts], telemetry.registry)
    )
    for context, description in zip(contexts, made, strict=True):
        app.include_router(_document_router(context.name, documents.encode(description)))
        app.include_router(context.public)
        if context.internal is not None:
            app.include_router(context.internal)
    if extra is not None:
        app.include_router(extra)
    served_by = f"{process}/{settings.instance}" if settings.show_instance else None
    normalized = DeclaredLength(RequestNormalizer(Revalidation(app)))
    same_origin = SameOrigin(normalized, settings.public_origin)
    policy = Policy("address", settings.address_limit, settings.address_window)
    limited = AddressLimit(same_origin, policy, settings.trusted_networks)
    return RequestMiddleware(limited, telemetry, lifecycle, served_by)


def _document_router(context: str, body: bytes) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get(f"/api/{context}/openapi.json")
    async def openapi() -> Response:
        return Response(body, media_type="application/json")

    return routes


async def _on_failure(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, Failure)  # noqa: S101 - the table above says so
    if isinstance(failure, Unavailable):
        log.warning("%s (%r)", failure.detail, failure.__cause__)
    return problems.response(failure, request.scope["path"])


async def _on_replay(_request: Request, replayed: Exception) -> Response:
    assert isinstance(replayed, Replayed)  # noqa: S101 - the table above says so
    return to_response(replayed.response, replayed=True)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - the table above says so
    return problems.response(validation.to_failure(error), request.scope["path"])


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the table above says so
    path = request.scope["path"]
    methods: MethodTable = request.app.state.methods
    failure: Failure
    forwarded = "x-forwarded-for" in request.headers
    match error.status_code:
        case 405 if forwarded and operations.is_private(path):
            failure = NoSuchPath("Nothing is here.")
        case 405:
            allow = methods.allowed(path) or _named(error)
            failure = MethodNotAllowed(f"This path has {', '.join(allow)}.", allow)
        case 404:
            failure = NoSuchPath("No operation has this path.")
        case 413:
            failure = too_large()
        case _:
            failure = MalformedRequest("The request cannot be read.")
    return problems.response(failure, path)


def _named(error: HTTPException) -> list[str]:
    return [name.strip() for name in (error.headers or {}).get("Allow", "").split(",") if name]
