"""What the board stores of a user, for that user only."""

from typing import Any

import httpx
import pytest

from tests.pages import every_page
from tests.people import Person
from topology.contexts import CONTEXT_NAMES

pytestmark = pytest.mark.in_loop


async def export(person: Person, context: str, limit: int = 100) -> list[dict[str, Any]]:
    """All rows that a context exports, each with the name of its table as `table`."""
    return [
        {"table": found["table"], **found["row"]}
        async for page in every_page(person.http, f"/api/{context}/export?limit={limit}")
        for found in page
    ]


@pytest.mark.parametrize("context", CONTEXT_NAMES)
async def test_export_is_for_its_user_and_no_cache(
    visitor: httpx.AsyncClient, newcomer: Person, context: str
) -> None:
    path = f"/api/{context}/export"
    assert (await visitor.get(path)).status_code == 401
    response = await newcomer.http.get(path)
    assert (response.status_code, response.headers["cache-control"]) == (200, "private, no-store")


async def test_own_data_is_exported_even_if_it_was_removed(newcomer: Person) -> None:
    thread = (await newcomer.start_thread("About quinces"))["id"]
    posts = [await newcomer.write(thread, f"quince {number}") for number in range(3)]
    edited, removed = posts[1]["id"], posts[2]["id"]
    answer = await newcomer.http.patch(
        f"/api/posts/{edited}", json={"text": "a pear"}, headers={"If-Match": "*"}
    )
    assert answer.status_code == 200
    assert (await newcomer.http.delete(f"/api/posts/{removed}")).status_code == 204
    rows = await export(newcomer, "posts")
    assert [row["text"] for row in rows if row["table"] == "posts"] == [
        "quince 0",
        "a pear",
        "quince 2",
    ]
    assert [row["text"] for row in rows if row["table"] == "revisions"] == ["quince 1"]
    assert await export(newcomer, "posts", limit=2) == rows
    (started,) = [row for row in await export(newcomer, "threads") if row["table"] == "threads"]
    assert (started["title"], started["createdBy"]) == ("About quinces", posts[0]["user"])
    account = await export(newcomer, "users")
    assert [row["id"] for row in account if row["table"] == "users"] == [posts[0]["user"]]
    assert len([row for row in account if row["table"] == "sessions"]) == 1
    assert newcomer.token not in str(account)
