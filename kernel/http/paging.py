"""Pages over HTTP: a list is a plain array, with a `Link` to the next page if there is one."""

from collections.abc import Sequence
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from kernel.data.paging import Page

LARGEST_PAGE = 100

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many at most.")]
After = Annotated[
    str | None,
    Query(description="The cursor that the `Link` to the next page carries."),
]

Item = TypeVar("Item")

_PLACES = frozenset({"after", "around"})
"""The query parameters that say where a page begins."""


def link_next(request: Request, response: Response, shown: Page[Item]) -> None:
    """Add the `Link` to the next page (RFC 8288) to the response, relative and with the same
    filters."""
    if shown.next_cursor is None:
        return
    query = [
        (name, value) for name, value in request.query_params.multi_items() if name not in _PLACES
    ]
    query.append(("after", shown.next_cursor))
    _link(request, response, query, "next")


def link_first(request: Request, response: Response) -> None:
    """Add the `Link` to the first page to the response of a page that begins elsewhere."""
    query = [
        (name, value) for name, value in request.query_params.multi_items() if name not in _PLACES
    ]
    _link(request, response, query, "first")


def _link(
    request: Request, response: Response, query: Sequence[tuple[str, str]], relation: str
) -> None:
    address = request.scope["path"] + ("?" + urlencode(query) if query else "")
    known = response.headers.get("Link")
    link = f'<{address}>; rel="{relation}"'
    response.headers["Link"] = link if known is None else f"{known}, {link}"
