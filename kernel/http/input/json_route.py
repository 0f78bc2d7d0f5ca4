"""Checks of a request before its whole body is read."""

import inspect
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import Message

from kernel.errors import FieldError, Invalid, MalformedRequest, UnsupportedMediaType
from kernel.http.auth import SessionCookie
from kernel.http.fields import RequestBody
from kernel.http.input.bodies import LARGEST_BODY, declared_length, too_large
from kernel.http.input.validation import cut_name

SMALL_BODY = RequestBody.largest_body
"""The most bytes of a body that are read and parsed without further checks."""

_MOST_CONTAINERS = 10_000
_MOST_COMMAS = 50_000
_MOST_QUOTES = 100_000
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)


class JsonRoute(APIRoute):
    """An operation that takes JSON and nothing else. Use it as a router's `route_class`.

    It refuses query parameters that the operation does not have. If the operation needs a session,
    it requires a token before it reads the body, and authenticates it before it reads more than 16
    KiB. It reads no more of a body than the operation's `RequestBody` allows.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind these checks. Raises `ValueError` for an operation with large
        bodies whose `SessionCookie` cannot authenticate."""
        handle = super().get_route_handler()
        parameters = _query_parameters(self.dependant)
        takes_body = self.body_field is not None
        largest = _largest_body(self.endpoint)
        cookie = _cookie(self.dependant)
        is_large = takes_body and largest > SMALL_BODY
        if cookie is not None and is_large and cookie.authenticate is None:
            raise ValueError(f"{self.path} has large bodies: its cookie needs `authenticate`")

        async def handle_json(request: Request) -> Response:
            if request.scope["query_string"]:
                _check_query(request, parameters)
            if not takes_body:
                return await handle(request)
            if cookie is not None:
                await cookie.token(request)
            body = await _read(request, largest, cookie)
            if body:
                _check_type(request)
            _check_encoding(body)
            _check_structure(body)
            return await handle(_with_body(request, body))

        return handle_json


def _query_parameters(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*(_query_parameters(each) for each in dependant.dependencies))


def _largest_body(endpoint: Callable[..., Any]) -> int:
    annotations = [
        parameter.annotation for parameter in inspect.signature(endpoint).parameters.values()
    ]
    sizes = [
        kind.largest_body
        for kind in annotations
        if isinstance(kind, type) and issubclass(kind, RequestBody)
    ]
    return max(sizes, default=LARGEST_BODY)


def _cookie(dependant: Dependant) -> SessionCookie | None:
    for dependency in dependant.dependencies:
        if getattr(dependency.call, "__func__", None) is SessionCookie.token:
            cookie: SessionCookie = dependency.call.__self__  # type: ignore[union-attr]  # a method
            return cookie
    return None


def _check_query(request: Request, parameters: set[str]) -> None:
    unknown = [name for name in request.query_params if name not in parameters]
    if unknown:
        raise Invalid(
            *(
                FieldError(f"?{cut_name(name)}", "This parameter is not known here. Leave it out.")
                for name in unknown
            )
        )


async def _read(request: Request, largest: int, cookie: SessionCookie | None) -> bytes:
    declared = declared_length(request.headers)
    if declared > largest:
        raise too_large(largest)
    unchecked = cookie
    if unchecked is not None and declared > SMALL_BODY:
        await unchecked.check(request)
        unchecked = None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise too_large(largest)
        if unchecked is not None and len(body) > SMALL_BODY:
            await unchecked.check(request)
            unchecked = None
    return bytes(body)


def _with_body(request: Request, body: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)


def _check_type(request: Request) -> None:
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")
    media_type, *parameters = request.headers.get("content-type", "").lower().split(";")
    charsets = [p.strip().removeprefix("charset=") for p in parameters if "charset=" in p]
    if media_type.strip() != "application/json" or not all(
        charset.strip('"') in {"utf-8", "utf8"} for charset in charsets
    ):
        raise UnsupportedMediaType("Send the body as application/json, in UTF-8.")


def _check_structure(body: bytes) -> None:
    # Parsing half a megabyte of empty lists blocks the event loop as long as rendering would.
    if len(body) <= SMALL_BODY:
        return
    if body.count(b'"') - body.count(b'\\"') <= _MOST_QUOTES:
        structure = _STRING.sub(b"", body)
        containers = structure.count(b"[") + structure.count(b"{")
        if containers <= _MOST_CONTAINERS and structure.count(b",") <= _MOST_COMMAS:
            return
    raise MalformedRequest("The body has more lists, objects and values than any operation takes.")


def _check_encoding(body: bytes) -> None:
    # The parser would detect UTF-16 and UTF-32, whose texts have zero bytes, and accept halves of
    # surrogate pairs. JSON between systems is UTF-8 (RFC 8259 section 8.1).
    try:
        readable = "\0" not in body.decode()
    except UnicodeDecodeError:
        readable = False
    if not readable:
        raise MalformedRequest("The body is not JSON in UTF-8.")
