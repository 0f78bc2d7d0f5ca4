"""Answers that need no application: the protocol sends them without starting a task."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from starlette.types import ASGIApp

Shortcut: TypeAlias = Callable[
    [bytes, Sequence[tuple[bytes, bytes]], tuple[str, int] | None, bytes], bytes | None
]
"""Returns the whole response to a GET without a body on a connection that stays open, or None if
the application must answer. The arguments are the request's target, its header fields with names in
lower case, the peer's address and port, and header lines that the response must have. While the
process drains, it returns None."""


def shortcut_of(app: ASGIApp) -> Shortcut | None:
    """The shortcut of an application that has the attribute `shortcut`.

    A layer around an application hides it. So no layer is bypassed, unless it has the attribute
    as well."""
    found: Shortcut | None = getattr(app, "shortcut", None)
    return found
