"""`Idempotency-Key`: a repeated POST takes effect once, and gets the first response again."""

import hashlib
import json
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from kernel.data.idempotency import IdempotentRequest, ReplayableResponse
from kernel.http.fields import Explain

_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes it safe to send this request again, for 24 hours.",
    ),
    Explain("Send a key of 1 to 64 visible ASCII characters, without blanks."),
]


async def _read(request: Request, key: _Key = None) -> IdempotentRequest:
    digest = b""
    if key is not None:
        digest = hashlib.sha256(_canonical(await request.body())).digest()
    return IdempotentRequest(key, request.method, request.scope["path"], digest)


Idempotent = Annotated[IdempotentRequest, Depends(_read)]
"""The parameter of an operation that accepts an `Idempotency-Key`. Two bodies have the same digest
if they are the same JSON value."""


def _canonical(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body  # the operation takes no body, so it was not parsed


def to_response(response: ReplayableResponse, *, replayed: bool = False) -> Response:
    """The HTTP response; a replayed one has the field `Idempotency-Replayed`."""
    headers = dict(response.headers)
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(response.body, response.status, headers, "application/json")
