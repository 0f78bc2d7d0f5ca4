"""Sends a POST more than once with the same `Idempotency-Key`."""

from typing import Any

import httpx

from tests.people import Person


async def send(
    http: httpx.AsyncClient, path: str, body: dict[str, Any], key: str
) -> httpx.Response:
    """Send a POST with a key, and return the response."""
    return await http.post(path, json=body, headers={"Idempotency-Key": key})


def is_replay(again: httpx.Response, first: httpx.Response) -> bool:
    """Whether a response repeats the first one, and is marked as a replay."""
    same = ("location", "content-type", "cache-control")
    return (
        first.status_code == again.status_code == 201
        and again.content == first.content
        and all(again.headers[name] == first.headers[name] for name in same)
        and "idempotency-replayed" not in first.headers
        and again.headers["idempotency-replayed"] == "true"
    )


async def posts_in(person: Person, thread: int) -> list[int]:
    """The ids of a thread's posts."""
    shown = (await person.http.get(f"/api/posts/in-thread/{thread}?limit=100")).json()
    return [post["id"] for post in shown]
