"""The main purpose of the board in one test: two users talk in a thread."""

import httpx

from tests.deployments import Board
from tests.eventually import eventually
from tests.people import Person, joining


async def test_users_can_start_a_thread_and_post_in_it(
    board: Board, visitor: httpx.AsyncClient, person: Person
) -> None:
    thread = await person.start_thread("Night trains")
    async with joining(board) as other:
        first = await person.write(thread["id"], "Where do they still *run*?")
        second = await other.write(thread["id"], "North, mostly.")

    posts = (await visitor.get(f"/api/posts/in-thread/{thread['id']}")).json()
    assert [post["id"] for post in posts] == [first["id"], second["id"]]
    assert posts[0]["html"] == "<p>Where do they still <em>run</em>?</p>\n"

    async def counted() -> bool:
        shown = (await visitor.get(f"/api/threads/{thread['id']}")).json()
        return (shown["postCount"], shown["lastPostAt"]) == (2, second["createdAt"])

    await eventually(counted)
