"""A client of the AWS workshop's demo, with its users, threads and posts, still works."""

from typing import Any

import httpx

from tests.people import Person


async def get(http: httpx.AsyncClient, path: str) -> Any:
    response = await http.get(path)
    assert response.status_code == 200, path
    return response.json()


async def test_client_of_the_aws_workshop_still_works(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    thread = await person.start_thread("Did you try turning it off?")
    post = await person.write(thread["id"], "Twice.")

    assert (await visitor.get("/api")).text == "API ready to receive requests"
    assert isinstance(await get(visitor, "/api/users"), list)
    user = await get(visitor, f"/api/users/{person.id}")
    assert (user["id"], user["username"]) == (person.id, person.username)
    assert isinstance(user["name"], str)
    assert isinstance(user["bio"], str)

    [listed] = [t for t in await get(visitor, "/api/threads") if t["id"] == thread["id"]]
    for shown in (listed, await get(visitor, f"/api/threads/{thread['id']}")):
        assert shown["title"] == "Did you try turning it off?"
        assert shown["createdBy"] == person.id

    for path in (
        "/api/posts",
        f"/api/posts/in-thread/{thread['id']}",
        f"/api/posts/by-user/{person.id}",
    ):
        [shown] = [p for p in await get(visitor, path) if p["id"] == post["id"]]
        wanted = {"thread": thread["id"], "text": "Twice.", "user": person.id}
        assert {name: shown[name] for name in wanted} == wanted
