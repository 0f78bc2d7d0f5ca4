"""`Idempotency-Key`: a repeated request has one effect, and gets the first response again."""

import secrets
from typing import Any

import httpx
import pytest

from tests.deployments import Board
from tests.people import Person, joining, sign_in
from tests.problems import pointers, slug
from tests.replays import is_replay, posts_in, send


def new_key() -> str:
    """An unused key."""
    return secrets.token_urlsafe(12)


async def test_post_sent_twice_with_one_key_is_stored_once(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    body, key = {"thread": thread, "text": "Once, café \U0001f600"}, new_key()
    first = await send(person.http, "/api/posts", body, key)
    for path in ("/api/posts", "/api/posts/"):
        assert is_replay(await send(person.http, path, body, key), first)
    assert await posts_in(person, thread) == [first.json()["id"]]


async def test_thread_sent_twice_with_one_key_is_stored_once(newcomer: Person) -> None:
    body, key = {"title": "Only once"}, new_key()
    first = await send(newcomer.http, "/api/threads", body, key)
    assert is_replay(await send(newcomer.http, "/api/threads", body, key), first)
    mine = (await newcomer.http.get(f"/api/threads?createdBy={newcomer.id}")).json()
    assert [thread["id"] for thread in mine] == [first.json()["id"]]


@pytest.mark.in_loop
async def test_equivalent_json_counts_as_the_same_body(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    headers = {"Idempotency-Key": new_key(), "Content-Type": "application/json"}
    spellings = [
        f'{{"thread":{thread},"text":"café"}}',
        f' {{ "text" : "caf\\u00e9" , "thread" : {thread} }} ',
    ]
    first, again = [
        await person.http.post("/api/posts", content=spelling.encode(), headers=headers)
        for spelling in spellings
    ]
    assert is_replay(again, first)


async def test_another_body_under_the_same_key_is_refused(person: Person) -> None:
    thread, key = (await person.start_thread())["id"], new_key()
    await send(person.http, "/api/posts", {"thread": thread, "text": "One"}, key)
    second = await send(person.http, "/api/posts", {"thread": thread, "text": "Two"}, key)
    assert pointers(second) == ["Idempotency-Key"]
    assert len(await posts_in(person, thread)) == 1


@pytest.mark.in_loop
async def test_key_is_separate_for_each_user_and_path(person: Person, other: Person) -> None:
    key = new_key()
    started = await send(person.http, "/api/threads", {"title": "The same key"}, key)
    body = {"thread": started.json()["id"], "text": "The same key"}
    written = [await send(who.http, "/api/posts", body, key) for who in (person, other)]
    assert [answer.status_code for answer in written] == [201, 201]
    assert written[0].json()["id"] != written[1].json()["id"]


@pytest.mark.in_loop
@pytest.mark.parametrize("key", ["", "a b", "x" * 65, "café", "a\tb", "☃"], ids=ascii)
@pytest.mark.parametrize("path", ["/api/posts", "/api/threads"])
async def test_a_key_is_1_to_64_visible_characters(person: Person, key: str, path: str) -> None:
    body = {"thread": 1, "text": "?"} if path == "/api/posts" else {"title": "Not kept"}
    headers = [(b"Idempotency-Key", key.encode())]
    response = await person.http.post(path, json=body, headers=headers)
    assert [pointer.lower() for pointer in pointers(response)] == ["idempotency-key"]


@pytest.mark.in_loop
async def test_longest_and_most_unusual_keys_are_accepted(newcomer: Person) -> None:
    for key in ("x" * 64, "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~\\", "0"):
        body = {"title": f"Key {key[:9]}"}
        first = await send(newcomer.http, "/api/threads", body, key)
        assert first.status_code == 201, key
        assert is_replay(await send(newcomer.http, "/api/threads", body, key), first)


@pytest.mark.in_loop
async def test_unsuccessful_response_is_not_stored(person: Person, moderator: Person) -> None:
    thread, key = (await person.start_thread())["id"], new_key()
    body = {"thread": thread, "text": "Now or later"}
    await moderator.http.put(f"/api/threads/{thread}/lock")
    assert (await send(person.http, "/api/posts", body, key)).status_code == 409
    await moderator.http.delete(f"/api/threads/{thread}/lock")
    written = await send(person.http, "/api/posts", body, key)
    assert (written.status_code, "idempotency-replayed" in written.headers) == (201, False)


async def test_replay_returns_the_first_response_whatever_changed_since(
    person: Person, moderator: Person
) -> None:
    thread, key = (await person.start_thread())["id"], new_key()
    body = {"thread": thread, "text": "As it was"}
    first = await send(person.http, "/api/posts", body, key)
    post = f"/api/posts/{first.json()['id']}"
    changes: list[tuple[Person, str, str, dict[str, Any]]] = [
        (person, "PATCH", post, {"json": {"text": "New"}, "headers": {"If-Match": "*"}}),
        (person, "DELETE", post, {}),
        (moderator, "PUT", f"/api/threads/{thread}/lock", {}),
        (moderator, "DELETE", f"/api/threads/{thread}", {}),
    ]
    for who, method, path, arguments in changes:
        assert (await who.http.request(method, path, **arguments)).is_success
        assert is_replay(await send(person.http, "/api/posts", body, key), first)


async def test_replay_needs_a_valid_session(board: Board, visitor: httpx.AsyncClient) -> None:
    async with joining(board) as leaver:
        body, key = {"title": "Signed out since"}, new_key()
        first = await send(leaver.http, "/api/threads", body, key)
        # A session that threads has not seen before, so that it is in no cache.
        session = await sign_in(visitor, leaver.username)
        assert (await visitor.delete("/api/sessions/current", headers=session)).status_code == 204
        headers = {**session, "Idempotency-Key": key}
        refused = await visitor.post("/api/threads", json=body, headers=headers)
        assert (refused.status_code, slug(refused)) == (401, "unauthenticated")
        assert is_replay(await send(leaver.http, "/api/threads", body, key), first)
