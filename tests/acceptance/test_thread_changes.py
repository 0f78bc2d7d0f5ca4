"""Renaming, locking and pinning threads."""

from typing import Any

import pytest

from tests.eventually import eventually
from tests.people import Person
from tests.problems import pointers, slug

pytestmark = pytest.mark.in_loop


async def _shown(person: Person, thread: int) -> dict[str, Any]:
    shown: dict[str, Any] = (await person.http.get(f"/api/threads/{thread}")).json()
    return shown


async def test_starter_can_rename_a_thread(person: Person) -> None:
    thread = await person.start_thread("Bread that will not rise")
    path = f"/api/threads/{thread['id']}"
    response = await person.http.patch(path, json={"title": " Bread that rises ", "version": 1})
    changed = response.json()
    assert response.status_code == 200
    assert changed["editedAt"] >= thread["createdAt"]
    wanted = {"title": "Bread that rises", "version": 2, "editedAt": changed["editedAt"]}
    assert changed == thread | wanted
    assert await _shown(person, thread["id"]) == changed


async def test_moderator_can_rename_any_thread(person: Person, moderator: Person) -> None:
    thread = await person.start_thread()
    changes = {"title": "Yeast, and its age", "version": thread["version"]}
    response = await moderator.http.patch(f"/api/threads/{thread['id']}", json=changes)
    assert (response.status_code, response.json()["title"]) == (200, changes["title"])
    assert response.json()["createdBy"] == person.id


async def test_other_members_cannot_rename_a_thread(person: Person, other: Person) -> None:
    thread = await person.start_thread()
    # They get a 403 whatever version they send.
    for version in (1, 7):
        changes = {"title": "Mine now", "version": version}
        response = await other.http.patch(f"/api/threads/{thread['id']}", json=changes)
        assert (response.status_code, slug(response)) == (403, "forbidden")
    assert await _shown(person, thread["id"]) == thread


async def test_rename_of_a_stale_version_is_rejected(person: Person, moderator: Person) -> None:
    thread = await person.start_thread()
    path = f"/api/threads/{thread['id']}"
    await moderator.http.patch(path, json={"title": "First", "version": 1})
    for version in (1, 3):
        response = await person.http.patch(path, json={"title": "Second", "version": version})
        assert (response.status_code, slug(response)) == (412, "stale")
    assert (await _shown(person, thread["id"]))["title"] == "First"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": "No version"}, "/version"),
        ({"title": "Bad version", "version": 0}, "/version"),
        ({"title": "Bad version", "version": None}, "/version"),
        ({"title": "Bad version", "version": 2**63}, "/version"),
        ({"version": 1}, "/title"),
        ({"title": "ab", "version": 1}, "/title"),
        ({"title": "Not a field", "version": 1, "locked": True}, "/locked"),
    ],
)
async def test_incomplete_change_is_rejected(
    person: Person, body: dict[str, Any], pointer: str
) -> None:
    thread = await person.start_thread()
    response = await person.http.patch(f"/api/threads/{thread['id']}", json=body)
    assert pointers(response) == [pointer]
    assert await _shown(person, thread["id"]) == thread


async def test_new_post_does_not_change_the_threads_version(person: Person) -> None:
    thread = await person.start_thread()
    await person.write(thread["id"])
    path = f"/api/threads/{thread['id']}"
    response = await person.http.patch(path, json={"title": "Still version 1", "version": 1})
    assert response.status_code == 200


@pytest.mark.parametrize(("mark", "member"), [("lock", "locked"), ("pin", "pinned")])
async def test_moderators_can_lock_and_pin_repeatedly(
    person: Person, moderator: Person, mark: str, member: str
) -> None:
    thread = await person.start_thread()
    path = f"/api/threads/{thread['id']}/{mark}"
    versions = []
    for method, value in [("PUT", True), ("PUT", True), ("DELETE", False), ("DELETE", False)]:
        response = await moderator.http.request(method, path)
        assert (response.status_code, response.content) == (204, b"")

        async def seen(expected: bool = value) -> bool:
            return (await _shown(person, thread["id"]))[member] is expected

        # Another process may answer, which knows of it a moment later.
        await eventually(seen)
        versions.append((await _shown(person, thread["id"]))["version"])
    # Repeating it changes nothing.
    assert versions == [2, 2, 3, 3]


@pytest.mark.parametrize("mark", ["lock", "pin"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_members_cannot_lock_or_pin(person: Person, mark: str, method: str) -> None:
    thread = await person.start_thread()
    response = await person.http.request(method, f"/api/threads/{thread['id']}/{mark}")
    assert (response.status_code, slug(response)) == (403, "forbidden")
    assert await _shown(person, thread["id"]) == thread


async def test_locked_thread_rejects_posts_until_it_is_unlocked(
    person: Person, moderator: Person
) -> None:
    thread = await person.start_thread()
    lock = f"/api/threads/{thread['id']}/lock"
    await moderator.http.put(lock)
    for who in (person, moderator):
        response = await who.http.post("/api/posts", json={"thread": thread["id"], "text": "?"})
        assert (response.status_code, slug(response)) == (409, "conflict")
    await moderator.http.delete(lock)
    await person.write(thread["id"])


async def test_changing_or_locking_an_unknown_thread_returns_404(moderator: Person) -> None:
    path = f"/api/threads/{2**63 - 1}"
    answers = [
        await moderator.http.patch(path, json={"title": "Nothing", "version": 1}),
        await moderator.http.delete(path),
        await moderator.http.put(f"{path}/lock"),
        await moderator.http.delete(f"{path}/pin"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
