"""Moderators see what moderators removed, and can restore it, with everything that depends on
it."""

import httpx
import pytest

from tests.deployments import Board
from tests.eventually import eventually
from tests.pages import every_page
from tests.people import Person, joining
from tests.problems import slug
from tests.watching import watching

pytestmark = pytest.mark.in_loop

REASON = "This belongs in another thread."


async def remove(who: Person, post: int, reason: str | None = REASON) -> httpx.Response:
    return await who.http.put(f"/api/posts/{post}/removal", json={"reason": reason})


async def restore(who: Person, post: int) -> httpx.Response:
    return await who.http.delete(f"/api/posts/{post}/removal")


async def test_restored_post_is_shown_again_everywhere(
    board: Board, visitor: httpx.AsyncClient, newcomer: Person, moderator: Person
) -> None:
    word = f"zx{newcomer.id}back"
    thread = (await newcomer.start_thread())["id"]
    posts = [await newcomer.write(thread, f"{word} {number}") for number in range(3)]
    post = posts[1]
    edit = {"text": f"{word} 1, edited"}
    path = f"/api/posts/{post['id']}"
    post = (await newcomer.http.patch(path, json=edit, headers={"If-Match": "*"})).json()
    paths = [
        path,
        f"/api/posts/in-thread/{thread}",
        f"/api/posts/by-user/{newcomer.id}",
        f"/api/posts/search?q={word}",
        "/api/posts?limit=5",
    ]
    before = [await visitor.get(each) for each in paths]
    async with watching(board, thread) as stream:
        assert (await remove(moderator, post["id"])).status_code == 204
        for each, answer in zip(paths, before, strict=True):
            gone = await visitor.get(each, headers={"If-None-Match": answer.headers["etag"]})
            assert gone.status_code != 304, each
            assert post["id"] not in {p["id"] for p in gone.json() if isinstance(p, dict)}, each
        assert (await restore(moderator, post["id"])).status_code == 204
        removed, restored = await stream.some(2)
    assert (removed.kind, removed.post) == ("remove", post["id"])
    assert (restored.kind, restored.data) == ("post", post)
    for each, answer in zip(paths, before, strict=True):
        again = await visitor.get(each)
        assert again.content == answer.content, each
        assert again.headers["etag"] == answer.headers["etag"], each
    revisions = await newcomer.http.get(f"{path}/revisions")
    assert [revision["text"] for revision in revisions.json()] == [f"{word} 1", edit["text"]]


async def test_counters_of_a_thread_follow_a_restoration(
    board: Board, person: Person, moderator: Person
) -> None:
    thread = (await person.start_thread())["id"]
    own = await person.write(thread)
    async with joining(board) as other:
        last = await other.write(thread)

        async def settled(count: int, last_at: str) -> bool:
            shown = (await person.http.get(f"/api/threads/{thread}")).json()
            return (shown["postCount"], shown["lastPostAt"]) == (count, last_at)

        await eventually(lambda: settled(2, last["createdAt"]))
        await remove(moderator, last["id"])
        await eventually(lambda: settled(1, own["createdAt"]))
        await restore(moderator, last["id"])
        await eventually(lambda: settled(2, last["createdAt"]))
    # The other user's post counts again, so the thread is not its starter's alone.
    refused = await person.http.delete(f"/api/threads/{thread}")
    assert (refused.status_code, slug(refused)) == (403, "forbidden")


async def test_moderators_see_removed_posts_with_who_when_and_why(
    visitor: httpx.AsyncClient, person: Person, moderator: Person
) -> None:
    thread = (await person.start_thread())["id"]
    posts = [await person.write(thread, text) for text in ("One", "Two", "Three")]
    await remove(moderator, posts[0]["id"])
    await person.http.delete(f"/api/posts/{posts[2]['id']}")
    path = f"/api/posts/in-thread/{thread}/removed"
    response = await moderator.http.get(path)
    assert response.headers["cache-control"] == "private, no-store"
    first, last = response.json()
    assert {name: first[name] for name in posts[0]} == posts[0]
    assert (first["removedBy"], first["reason"]) == (moderator.id, REASON)
    assert first["removedAt"] >= posts[0]["createdAt"]
    assert (last["id"], last["removedBy"], last["reason"]) == (posts[2]["id"], person.id, None)
    pages = [page async for page in every_page(moderator.http, f"{path}?limit=1")]
    assert [[post["id"] for post in page] for page in pages] == [[first["id"]], [last["id"]]]
    assert (await person.http.get(path)).status_code == 403
    assert (await visitor.get(path)).status_code == 401


async def test_removal_needs_no_reason_and_no_body(person: Person, moderator: Person) -> None:
    thread = (await person.start_thread())["id"]
    post = (await person.write(thread))["id"]
    assert (await moderator.http.put(f"/api/posts/{post}/removal")).status_code == 204
    [removed] = (await moderator.http.get(f"/api/posts/in-thread/{thread}/removed")).json()
    assert removed["reason"] is None


async def test_second_removal_changes_nothing(person: Person, moderator: Person) -> None:
    thread = (await person.start_thread())["id"]
    post = (await person.write(thread))["id"]
    for reason in (REASON, "Another reason."):
        assert (await remove(moderator, post, reason)).status_code == 204
    [removed] = (await moderator.http.get(f"/api/posts/in-thread/{thread}/removed")).json()
    assert removed["reason"] == REASON


async def test_second_restoration_changes_nothing(
    visitor: httpx.AsyncClient, person: Person, moderator: Person
) -> None:
    post = await person.write((await person.start_thread())["id"])
    await remove(moderator, post["id"])
    for _ in range(2):
        assert (await restore(moderator, post["id"])).status_code == 204
    assert (await visitor.get(f"/api/posts/{post['id']}")).json() == post


async def test_post_removed_by_its_author_is_not_restored(
    visitor: httpx.AsyncClient, person: Person, moderator: Person
) -> None:
    post = (await person.write((await person.start_thread())["id"]))["id"]
    await person.http.delete(f"/api/posts/{post}")
    refused = await restore(moderator, post)
    assert (refused.status_code, slug(refused)) == (409, "conflict")
    assert (await visitor.get(f"/api/posts/{post}")).status_code == 404


async def test_post_in_a_removed_thread_is_neither_shown_nor_restored(
    visitor: httpx.AsyncClient, person: Person, moderator: Person
) -> None:
    thread = (await person.start_thread())["id"]
    post = (await person.write(thread))["id"]
    await remove(moderator, post)
    await person.http.delete(f"/api/threads/{thread}")

    async def refused() -> bool:
        response = await restore(moderator, post)
        return (response.status_code, slug(response)) == (409, "conflict")

    path = f"/api/posts/in-thread/{thread}/removed"

    async def hidden() -> bool:
        return (await moderator.http.get(path)).content == b"[]"

    await eventually(hidden)  # posts follows the removals of threads
    await eventually(refused)
    assert (await visitor.get(f"/api/posts/{post}")).status_code == 404
    assert (await remove(moderator, post)).status_code == 404


async def test_only_moderators_may_remove_with_a_reason_and_restore(
    visitor: httpx.AsyncClient, person: Person, other: Person, moderator: Person
) -> None:
    post = (await person.write((await person.start_thread())["id"]))["id"]
    path = f"/api/posts/{post}/removal"
    for who in (person, other):
        assert (await remove(who, post)).status_code == 403
    assert (await visitor.put(path, json={})).status_code == 401
    await remove(moderator, post)
    for who in (person, other):
        assert (await restore(who, post)).status_code == 403
    assert (await visitor.delete(path)).status_code == 401
    for change in (remove, restore):
        assert (await change(moderator, 2**63 - 1)).status_code == 404
