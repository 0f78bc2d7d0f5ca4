"""Removing threads, and the posts in them."""

import httpx
import pytest

from tests.deployments import Board
from tests.eventually import eventually
from tests.pages import every_page
from tests.people import Person
from tests.problems import slug
from tests.watching import watching

pytestmark = pytest.mark.in_loop


async def _statuses(http: httpx.AsyncClient, *paths: str) -> list[int]:
    return [(await http.get(path)).status_code for path in paths]


async def test_starter_can_remove_a_thread_without_posts_by_others(
    person: Person,
) -> None:
    thread = await person.start_thread()
    await person.write(thread["id"])
    path = f"/api/threads/{thread['id']}"
    response = await person.http.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    assert (await person.http.get(path)).status_code == 404
    assert (await person.http.delete(path)).status_code == 404


async def test_only_moderators_can_remove_a_thread_with_posts_by_others(
    person: Person, other: Person, moderator: Person
) -> None:
    thread = await person.start_thread()
    post = await other.write(thread["id"])
    path = f"/api/threads/{thread['id']}"

    async def known() -> bool:
        return bool((await person.http.get(path)).json()["postCount"] == 1)

    await eventually(known)
    response = await person.http.delete(path)
    assert (response.status_code, slug(response)) == (403, "forbidden")
    # After the other user's post was removed, only the starter has posts in it again.
    assert (await other.http.delete(f"/api/posts/{post['id']}")).status_code == 204

    async def alone() -> bool:
        return bool((await person.http.get(path)).json()["postCount"] == 0)

    await eventually(alone)
    await other.write(thread["id"])
    await eventually(known)
    assert (await moderator.http.delete(path)).status_code == 204
    assert (await person.http.get(path)).status_code == 404


async def test_other_members_cannot_remove_a_thread(person: Person, other: Person) -> None:
    thread = await person.start_thread()
    path = f"/api/threads/{thread['id']}"
    assert (await other.http.delete(path)).status_code == 403
    assert (await person.http.get(path)).json() == thread


async def test_posts_of_a_removed_thread_disappear_everywhere_soon(
    board: Board, visitor: httpx.AsyncClient, newcomer: Person, moderator: Person
) -> None:
    word = f"zx{newcomer.id}removed"
    kept, gone = [await newcomer.start_thread(f"{word} {n}") for n in range(2)]
    stays = await newcomer.write(kept["id"], f"{word} stays")
    posts = [await newcomer.write(gone["id"], f"{word} goes") for _ in range(3)]
    path = f"/api/threads/{gone['id']}"
    async with watching(board, gone["id"]) as stream:
        assert (await moderator.http.delete(path)).status_code == 204
        found = (await visitor.get(f"/api/threads/search?q={word}")).json()
        assert [thread["id"] for thread in found] == [kept["id"]]
        mine = (await visitor.get(f"/api/threads?createdBy={newcomer.id}")).json()
        assert [thread["id"] for thread in mine] == [kept["id"]]

        async def left() -> bool:
            lists = [
                (await visitor.get(f"/api/posts/by-user/{newcomer.id}")).json(),
                (await visitor.get(f"/api/posts/search?q={word}")).json(),
            ]
            singles = await _statuses(visitor, *(f"/api/posts/{post['id']}" for post in posts))
            nothing = (await visitor.get(f"/api/posts/in-thread/{gone['id']}")).json()
            return (
                all([post["id"] for post in shown] == [stays["id"]] for shown in lists)
                and singles == [404] * 3
                and nothing == []
            )

        await eventually(left)
        await stream.ended()
    newest = [post["id"] for post in (await visitor.get("/api/posts?limit=100")).json()]
    assert not {post["id"] for post in posts} & set(newest)
    assert await _statuses(visitor, f"/api/posts/in-thread/{gone['id']}/stream") == [404]


async def test_removed_thread_accepts_no_changes(person: Person, moderator: Person) -> None:
    thread = await person.start_thread()
    post = await person.write(thread["id"])
    path = f"/api/threads/{thread['id']}"
    assert (await moderator.http.delete(path)).status_code == 204
    new = await person.http.post("/api/posts", json={"thread": thread["id"], "text": "?"})
    title = await person.http.patch(path, json={"title": "Too late", "version": 1})
    lock = await moderator.http.put(f"{path}/lock")
    assert [new.status_code, title.status_code, lock.status_code] == [404, 404, 404]
    single = f"/api/posts/{post['id']}"

    async def gone() -> bool:
        return (await person.http.get(single)).status_code == 404

    await eventually(gone)
    edit = await person.http.patch(single, json={"text": "?"}, headers={"If-Match": "*"})
    revisions = await person.http.get(f"{single}/revisions")
    remove = await person.http.delete(single)
    assert [edit.status_code, revisions.status_code, remove.status_code] == [404, 404, 404]


async def test_lists_read_to_their_end_skip_removed_threads(
    newcomer: Person, moderator: Person
) -> None:
    threads = [(await newcomer.start_thread(f"No. {n}"))["id"] for n in range(6)]
    for thread in threads[::2]:
        assert (await moderator.http.delete(f"/api/threads/{thread}")).status_code == 204
    path = f"/api/threads?createdBy={newcomer.id}&limit=1"
    left = [thread["id"] async for page in every_page(newcomer.http, path) for thread in page]
    assert left == threads[1::2][::-1]
