"""Reading what the board says when it says no."""

from typing import Any

import httpx


def pointers(response: httpx.Response) -> list[str]:
    """The fields that a 422 complains of, in its order. Fails for any other answer."""
    assert response.status_code == 422, f"{response.status_code}: {response.text}"
    return [error["pointer"] for error in response.json()["errors"]]


def slug(response: httpx.Response) -> str:
    """Which problem an answer is: the last segment of its type."""
    kind: str = response.json()["type"]
    return kind.removeprefix("/problems/")


def without_request_id(response: httpx.Response) -> dict[str, Any]:
    """A problem but for what differs with every request."""
    problem: dict[str, Any] = response.json()
    return {name: value for name, value in problem.items() if name != "requestId"}
