"""Header fields that layers add to the response of the layers inside them.

They are collected in the request's scope for the outermost layer, which processes the response
anyway. If each layer wrapped `send` to add a field, every message would cost one more call per
layer."""

from typing import Final

from starlette.types import Scope

_KEY: Final = "board.response_fields"

Field = tuple[bytes, bytes]
"""A header field as ASGI has it: the name in lower case, and the value."""


def collect_fields(scope: Scope) -> list[Field]:
    """Create the list to which inner layers add fields."""
    fields: list[Field] = []
    scope[_KEY] = fields
    return fields


def add_field(scope: Scope, name: bytes, value: bytes) -> None:
    """Add a field to the response, unless the response has one of this name. Without an
    outermost layer, this does nothing."""
    fields = scope.get(_KEY)
    if fields is not None:
        fields.append((name, value))
