"""Pages over HTTP: a list is a plain array, with a `Link` to the next page if there is one."""

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


def link_next(request: Request, response: Response, shown: Page[Item]) -> None:
    """Add the `Link` to the next page (RFC 8288) to the response, relative and with the same
    filters."""
    if shown.next_cursor is None:
        return
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    query.append(("after", shown.next_cursor))
    response.headers["Link"] = f'<{request.scope["path"]}?{urlencode(query)}>; rel="next"'
