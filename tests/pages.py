"""Follows the pages of a list."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx

_NEXT = re.compile(r'<(/[^>]*)>; rel="next"')


def next_page(response: httpx.Response) -> str | None:
    """The URL of the next page, or None on the last one."""
    link = response.headers.get("link")
    if link is None:
        return None
    found = _NEXT.fullmatch(link)
    assert found is not None, f"a Link without a next page: {link}"
    return found[1]


async def every_page(http: httpx.AsyncClient, path: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Each page of a list, by following `Link` to the end."""
    following: str | None = path
    while following is not None:
        response = await http.get(following)
        assert response.status_code == 200, response.text
        yield response.json()
        following = next_page(response)
