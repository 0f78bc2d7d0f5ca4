"""`Idempotency-Key`: a POST that is sent again has its effect once, and gets its first response."""

import hashlib
import json
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from kernel.data.idempotency import IdempotentRequest, ReplayableResponse

_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes it safe to send this request again, for 24 hours.",
    ),
]


async def _read(request: Request, key: _Key = None) -> IdempotentRequest:
    digest = b""
    if key is not None:
        digest = hashlib.sha256(_canonical(await request.body())).digest()
    return IdempotentRequest(key, request.method, request.scope["path"], digest)


Idempotent = Annotated[IdempotentRequest, Depends(_read)]
"""The parameter of an operation that takes an `Idempotency-Key`. Two bodies have the same digest if
they are the same JSON value."""


def _canonical(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body  # of an operation that takes none, so nothing has parsed it


def to_response(response: ReplayableResponse, *, replayed: bool = False) -> Response:
    """The response as it is sent. A replayed one says so in `Idempotency-Replayed`."""
    headers = dict(response.headers)
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(response.body, response.status, headers, "application/json")
