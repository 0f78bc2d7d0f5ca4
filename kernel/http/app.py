"""Makes the ASGI application of a process out of the routers of one context, or of all."""

import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from kernel.data.idempotency import Replayed
from kernel.errors import (
    Failure,
    FieldError,
    Invalid,
    MalformedRequest,
    MethodNotAllowed,
    NoSuchPath,
    NotFound,
    Policy,
    Unavailable,
    UnsupportedMediaType,
)
from kernel.http import documents, operations, problems
from kernel.http.address_limit import AddressLimit
from kernel.http.auth import SameOrigin
from kernel.http.bodies import LARGEST_BODY, DeclaredLength, too_large
from kernel.http.idempotency import to_response
from kernel.http.paths import MethodTable, RequestNormalizer
from kernel.http.request_middleware import RequestMiddleware
from kernel.http.revalidation import Revalidation
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


class JsonRoute(APIRoute):
    """An operation that takes JSON and nothing else. Use it as a router's `route_class`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind a look at the content type."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def handle_json(request: Request) -> Response:
            if takes_body and _has_body(request) and not _is_json(request):
                raise UnsupportedMediaType("Send the body as application/json, in UTF-8.")
            if takes_body:
                _check_encoding(await request.body())
            return await handle(request)

        return handle_json


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


def _has_body(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    return length != "0" or "transfer-encoding" in request.headers


def _is_json(request: Request) -> bool:
    media_type, *parameters = request.headers.get("content-type", "").lower().split(";")
    if media_type.strip() != "application/json":
        return False
    charsets = [p.strip().removeprefix("charset=") for p in parameters if "charset=" in p]
    return all(charset.strip('"') in {"utf-8", "utf8"} for charset in charsets)


def _check_encoding(body: bytes) -> None:
    # The parser would guess UTF-16 and UTF-32, whose texts have zero bytes, and let halves of
    # surrogate pairs through. JSON on the net is UTF-8 (RFC 8259 section 8.1).
    try:
        readable = "\0" not in body.decode()
    except UnicodeDecodeError:
        readable = False
    if not readable:
        raise MalformedRequest("The body is not JSON in UTF-8.")


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
    return problems.response(_translate(error), request.scope["path"])


def _translate(error: RequestValidationError) -> Failure:
    wrong = error.errors()
    if any(entry["type"] == "json_invalid" for entry in wrong):
        return MalformedRequest("The body is not JSON.")
    if any(entry["loc"][0] == "path" for entry in wrong):
        return NotFound("No resource has such an id.")
    return Invalid(*(FieldError(_pointer(entry["loc"]), _sentence(entry)) for entry in wrong))


def _pointer(location: Sequence[str | int]) -> str:
    where, *rest = [str(part) for part in location]
    if where == "header":
        return rest[0]
    if where != "body":
        return "?" + ".".join(rest[:1])
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in rest)


def _sentence(entry: dict[str, Any]) -> str:
    if entry["type"] == "extra_forbidden":
        return "This field is not known here."
    message = str(entry["msg"]).removeprefix("Value error, ")
    return f"{message[:1].upper()}{message[1:]}."


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
