"""The API documents: one OpenAPI document per context, the same bytes in every process."""

import json
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from kernel.errors import Invalid, TooManyRequests
from kernel.http import problems

API_VERSION = "1"

_SECURITY = {
    "session": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of `POST /api/sessions`. Browsers send it as a cookie instead.",
    }
}


def document(context: str, description: str, routes: APIRouter) -> dict[str, Any]:
    """The OpenAPI document of one context, generated from its routes."""
    made = get_openapi(
        title=f"The board: {context}",
        version=API_VERSION,
        description=description,
        routes=routes.routes,
    )
    for operations in made["paths"].values():
        for method, operation in operations.items():
            _forget_assumed_422(operation)
            operation["responses"] |= problems.documented(Invalid, TooManyRequests)
            if "401" in operation["responses"]:
                # Signing in also answers 401, but declares that it needs no session.
                operation.setdefault("security", [{"session": []}])
            if method == "get" and "application/json" in operation["responses"]["200"]["content"]:
                operation["responses"]["304"] = {"description": "What you have is still right."}
            operation["responses"] = dict(sorted(operation["responses"].items()))
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for assumed in ("HTTPValidationError", "ValidationError"):
        schemas.pop(assumed, None)
    schemas["Problem"] = problems.SCHEMA
    components["securitySchemes"] = _SECURITY
    return made


def _forget_assumed_422(operation: dict[str, Any]) -> None:
    # FastAPI documents its own 422 for every operation with a parameter, even if the only parameter
    # is an id, for which the board answers 404.
    if "application/json" in operation["responses"].get("422", {}).get("content", {}):
        del operation["responses"]["422"]


def encode(made: dict[str, Any]) -> bytes:
    """The bytes that are served."""
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
