"""Reads problem responses."""

from typing import Any

import httpx


def pointers(response: httpx.Response) -> list[str]:
    """The fields with errors in a 422, in its order. Fails for any other response."""
    assert response.status_code == 422, f"{response.status_code}: {response.text}"
    return [error["pointer"] for error in response.json()["errors"]]


def slug(response: httpx.Response) -> str:
    """The kind of a problem: the last segment of its `type`."""
    kind: str = response.json()["type"]
    return kind.removeprefix("/problems/")


def without_request_id(response: httpx.Response) -> dict[str, Any]:
    """A problem without the members that differ between requests."""
    problem: dict[str, Any] = response.json()
    return {name: value for name, value in problem.items() if name != "requestId"}
