"""Removing posts, and posts that reply to others."""

import httpx
import pytest

from tests.eventually import eventually
from tests.people import Person
from tests.problems import pointers, slug

pytestmark = pytest.mark.in_loop


async def test_author_and_moderators_can_remove_a_post(
    person: Person, other: Person, moderator: Person
) -> None:
    thread = (await person.start_thread())["id"]
    posts = [await person.write(thread, text) for text in ("One", "Two", "Three")]
    for who, post in ((person, posts[0]), (moderator, posts[1])):
        path = f"/api/posts/{post['id']}"
        refused = await other.http.delete(path)
        assert (refused.status_code, slug(refused)) == (403, "forbidden")
        removed = await who.http.delete(path)
        assert (removed.status_code, removed.content) == (204, b"")
        gone = [
            await who.http.delete(path),
            await who.http.get(path),
            await who.http.patch(path, json={"text": "?"}, headers={"If-Match": "*"}),
            await who.http.get(f"{path}/revisions"),
        ]
        assert [answer.status_code for answer in gone] == [404] * 4
    left = (await person.http.get(f"/api/posts/in-thread/{thread}")).json()
    assert [post["id"] for post in left] == [posts[2]["id"]]


async def test_removed_post_is_not_listed_or_found(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    word = f"zx{newcomer.id}gone"
    thread = (await newcomer.start_thread())["id"]
    post = await newcomer.write(thread, word)
    assert (await newcomer.http.delete(f"/api/posts/{post['id']}")).status_code == 204
    for path in (
        f"/api/posts/search?q={word}",
        f"/api/posts/by-user/{newcomer.id}",
        f"/api/posts/in-thread/{thread}",
    ):
        assert (await visitor.get(path)).json() == [], path
    newest = (await visitor.get("/api/posts?limit=100")).json()
    assert post["id"] not in [shown["id"] for shown in newest]


async def test_the_counters_of_a_thread_follow_its_removals(person: Person) -> None:
    thread = await person.start_thread()
    path = f"/api/threads/{thread['id']}"
    posts = [await person.write(thread["id"], text) for text in ("One", "Two", "Three")]

    async def settle(count: int, last: str | None) -> None:
        async def told() -> bool:
            shown = (await person.http.get(path)).json()
            return (shown["postCount"], shown["lastPostAt"]) == (count, last)

        await eventually(told)

    await settle(3, posts[2]["createdAt"])
    await person.http.delete(f"/api/posts/{posts[0]['id']}")
    await settle(2, posts[2]["createdAt"])
    await person.http.delete(f"/api/posts/{posts[2]['id']}")
    await settle(1, posts[1]["createdAt"])
    await person.http.delete(f"/api/posts/{posts[1]['id']}")
    await settle(0, None)
    again = await person.write(thread["id"])
    await settle(1, again["createdAt"])
    assert (await person.http.get(path)).json()["version"] == thread["version"]


async def test_last_author_of_a_thread_follows_its_posts(person: Person, newcomer: Person) -> None:
    thread = await person.start_thread()
    path = f"/api/threads/{thread['id']}"

    async def settle(author: int | None) -> None:
        async def shown() -> bool:
            return bool((await person.http.get(path)).json()["lastPostBy"] == author)

        await eventually(shown)

    await settle(None)
    await person.write(thread["id"], "One")
    await settle(person.id)
    reply = await newcomer.write(thread["id"], "Two")
    await settle(newcomer.id)
    await newcomer.http.delete(f"/api/posts/{reply['id']}")
    await settle(person.id)


async def test_post_can_reply_to_another_of_its_thread(
    visitor: httpx.AsyncClient, person: Person, other: Person
) -> None:
    thread = (await person.start_thread())["id"]
    question = await person.write(thread)
    body = {"thread": thread, "text": "Lukewarm.", "replyTo": question["id"]}
    answer = (await other.http.post("/api/posts", json=body)).json()
    assert (question["replyTo"], answer["replyTo"]) == (None, question["id"])
    assert (await visitor.get(f"/api/posts/{answer['id']}")).json() == answer
    # When the original is removed, the reply does not change.
    assert (await person.http.delete(f"/api/posts/{question['id']}")).status_code == 204
    assert (await visitor.get(f"/api/posts/{answer['id']}")).json() == answer


async def test_post_cannot_reply_to_a_removed_post_or_one_of_another_thread(
    person: Person,
) -> None:
    thread, elsewhere = [(await person.start_thread())["id"] for _ in range(2)]
    foreign = await person.write(elsewhere)
    removed = await person.write(thread)
    await person.http.delete(f"/api/posts/{removed['id']}")
    for reply_to in (foreign["id"], removed["id"], 2**63 - 1, 0):
        body = {"thread": thread, "text": "?", "replyTo": reply_to}
        assert pointers(await person.http.post("/api/posts", json=body)) == ["/replyTo"]
    assert (await person.http.get(f"/api/posts/in-thread/{thread}")).json() == []
