"""Following a list to its end."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx

_NEXT = re.compile(r'<(/[^>]*)>; rel="next"')


def next_page(response: httpx.Response) -> str | None:
    """Where the next page is, or None at the list's end."""
    link = response.headers.get("link")
    if link is None:
        return None
    found = _NEXT.fullmatch(link)
    assert found is not None, f"a Link nobody can follow: {link}"
    return found[1]


async def every_page(http: httpx.AsyncClient, path: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Each page of a list, as far as `Link` leads."""
    following: str | None = path
    while following is not None:
        response = await http.get(following)
        assert response.status_code == 200, response.text
        yield response.json()
        following = next_page(response)
