"""Header fields that a layer adds to the response of whatever is inside it.

They wait in the request's scope for the outermost layer, which has to look at the response anyway:
a layer that wrapped `send` to add a field would cost each request a call more for each message.
"""

from typing import Final

from starlette.types import Scope

_KEY: Final = "board.response_fields"

Field = tuple[bytes, bytes]
"""A header field as ASGI has it: the name in lower case, and the value."""


def collect_fields(scope: Scope) -> list[Field]:
    """The list, empty so far, to which inner layers add."""
    fields: list[Field] = []
    scope[_KEY] = fields
    return fields


def add_field(scope: Scope, name: bytes, value: bytes) -> None:
    """Add a field to the response, unless the response has one of this name. Outside of a process's
    application nobody collects fields, and this does nothing."""
    fields = scope.get(_KEY)
    if fields is not None:
        fields.append((name, value))
