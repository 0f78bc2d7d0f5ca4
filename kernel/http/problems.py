"""Failures as RFC 9457 problem details, in responses and in the API documents."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from kernel.errors import FAILURES, Failure, FieldError, Invalid
from kernel.process.tracing import current_trace

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"

SCHEMA: Mapping[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457 problem details. `errors` is there when fields are wrong.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "requestId"],
    "properties": {
        "type": {"type": "string", "examples": [f"{TYPE_PREFIX}{Invalid.slug}"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "requestId": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
"""The schema `Problem` of every API document."""


def response(failure: Failure, instance: str) -> Response:
    """The response for a failure. `instance` is the path of the request, decoded; the
    response has it as a URI reference (RFC 9457 section 3.1.5)."""
    trace = current_trace.get()
    problem: dict[str, Any] = {
        "type": TYPE_PREFIX + failure.slug,
        "title": failure.title,
        "status": failure.status,
        "detail": failure.detail,
        "instance": quote(instance, safe="/-._~!$&'()*+,;=:@", errors="replace"),
        "requestId": trace.request_id if trace is not None else "",
    }
    if isinstance(failure, Invalid):
        problem["errors"] = [
            {"pointer": error.pointer, "detail": error.detail} for error in failure.errors
        ]
    # A pointer may contain a name from the request, which may have half a surrogate pair.
    body = json.dumps(problem, ensure_ascii=False).encode("utf-8", errors="replace")
    return Response(body, failure.status, headers=failure.headers, media_type=MEDIA_TYPE)


def read(status: int, body: bytes) -> Failure | None:
    """The failure that a problem document describes, or None if the body is not a problem of the
    board."""
    try:
        problem = json.loads(body)
        slug = str(problem["type"]).removeprefix(TYPE_PREFIX)
        kind = FAILURES[slug]
        detail = str(problem["detail"])
        errors = [
            FieldError(str(e["pointer"]), str(e["detail"])) for e in problem.get("errors", ())
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if kind.status != status:
        return None
    if kind is Invalid:
        return Invalid(*errors)
    try:
        return kind(detail)
    except TypeError:  # failures with more than a sentence are not sent between services
        return None


def documented(*kinds: type[Failure]) -> dict[int | str, dict[str, Any]]:
    """The documented `responses` of an operation with these failures."""
    titles: dict[int, list[str]] = {}
    for kind in kinds:
        titles.setdefault(kind.status, []).append(kind.title)
    return {
        str(status): {
            "description": " / ".join(names),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, names in sorted(titles.items())
    }
