"""Users change their own profile, password and sessions, and delete their account."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
import pytest

from kernel.http.conditional.revalidation import entity_tag
from tests.deployments import Board
from tests.people import PASSWORD, Person, joining, new_username, sign_in, visiting
from tests.problems import pointers, slug

pytestmark = pytest.mark.in_loop

OTHER_PASSWORD = "nine loud otters"


async def edit(person: Person, **changes: Any) -> httpx.Response:
    """Change the current version of the profile."""
    tag = (await person.http.get("/api/users/me")).headers["etag"]
    return await person.http.patch("/api/users/me", json=changes, headers={"If-Match": tag})


async def change_password(person: Person, current: str, new: str) -> httpx.Response:
    change = {"current": current, "new": new}
    return await person.http.put("/api/users/me/password", json=change)


async def is_signed_in(http: httpx.AsyncClient, headers: dict[str, str]) -> bool:
    response = await http.get("/api/users/me", headers=headers)
    assert response.status_code in {200, 401}
    return response.status_code == 200


# Profile


async def test_edit_changes_only_the_fields_that_were_sent(newcomer: Person) -> None:
    before = (await newcomer.http.get("/api/users/me")).json()
    changed = await edit(newcomer, name="  Ines D. ", email="ines@example.org")
    assert changed.status_code == 200
    assert changed.json() == {**before, "name": "Ines D.", "email": "ines@example.org"}
    assert (await edit(newcomer, bio="Bakes.\nReads.")).json() == {
        **changed.json(),
        "bio": "Bakes.\nReads.",
    }
    assert (await edit(newcomer, email=None)).json()["email"] is None
    public = (await newcomer.http.get(f"/api/users/{newcomer.id}")).json()
    assert (public["name"], public["bio"]) == ("Ines D.", "Bakes.\nReads.")


async def test_edit_without_fields_changes_nothing(newcomer: Person) -> None:
    before = await newcomer.http.get("/api/users/me")
    assert (await edit(newcomer)).json() == before.json()


async def test_edit_returns_the_same_tag_as_a_read(newcomer: Person) -> None:
    changed = await edit(newcomer, name="Inês \u2028é𝄞", bio='<"&>')
    assert changed.status_code == 422  # a name must not contain a line break
    changed = await edit(newcomer, name="Inês é𝄞", bio='<"&>\u2028', email="i@example.org")
    shown = await newcomer.http.get("/api/users/me")
    assert changed.headers["etag"] == shown.headers["etag"] == entity_tag(shown.content)
    again = await newcomer.http.patch(
        "/api/users/me", json={"name": "Ines"}, headers={"If-Match": changed.headers["etag"]}
    )
    assert (again.status_code, again.json()["name"]) == (200, "Ines")


@pytest.mark.parametrize("weak", [True, False], ids=["weak", "strong"])
async def test_edit_of_a_stale_version_returns_412(newcomer: Person, weak: bool) -> None:
    tag = (await newcomer.http.get("/api/users/me")).headers["etag"]
    if not weak:
        assert (await edit(newcomer, name="Somebody else")).status_code == 200
    headers = {"If-Match": f"W/{tag}" if weak else tag}
    stale = await newcomer.http.patch("/api/users/me", json={"name": "Late"}, headers=headers)
    assert (stale.status_code, slug(stale)) == (412, "stale")
    assert (await newcomer.http.get("/api/users/me")).json()["name"] != "Late"


async def test_edit_without_if_match_returns_428(newcomer: Person) -> None:
    response = await newcomer.http.patch("/api/users/me", json={"name": "Ines"})
    assert (response.status_code, slug(response)) == (428, "precondition-required")


async def test_missing_session_is_reported_before_invalid_fields(
    visitor: httpx.AsyncClient,
) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        response = await visitor.patch("/api/users/me", json={"name": "Ines"}, headers=headers)
        assert response.status_code == 401


async def test_concurrent_edits_of_one_version_succeed_once(newcomer: Person) -> None:
    for turn in range(5):
        tag = (await newcomer.http.get("/api/users/me")).headers["etag"]
        answers = await asyncio.gather(
            *(
                newcomer.http.patch(
                    "/api/users/me", json={"name": f"Ines {turn}-{n}"}, headers={"If-Match": tag}
                )
                for n in range(5)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 4
        winner = next(answer for answer in answers if answer.status_code == 200)
        assert (await newcomer.http.get("/api/users/me")).json() == winner.json()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None), ("name", ""), ("name", "x" * 61), ("name", "a\nb"), ("bio", None),
        ("bio", "x" * 501), ("bio", "\0"), ("email", ""), ("email", "nobody"), ("username", "x"),
        ("role", "admin"), ("password", PASSWORD),
    ],
    ids=str,
)  # fmt: skip
async def test_invalid_edit_is_rejected_with_its_field(
    person: Person, field: str, value: Any
) -> None:
    assert pointers(await edit(person, **{field: value})) == [f"/{field}"]


# Password


async def test_a_changed_password_ends_every_other_session(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    other = await sign_in(visitor, newcomer.username)
    assert (await change_password(newcomer, PASSWORD, OTHER_PASSWORD)).status_code == 204
    assert not await is_signed_in(visitor, other)
    assert (await newcomer.http.get("/api/users/me")).status_code == 200
    old = {"username": newcomer.username, "password": PASSWORD}
    assert (await visitor.post("/api/sessions", json=old)).status_code == 401
    await sign_in(visitor, newcomer.username, OTHER_PASSWORD)


async def test_a_wrong_current_password_is_403_and_changes_nothing(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    other = await sign_in(visitor, newcomer.username)
    response = await change_password(newcomer, OTHER_PASSWORD, "twelve green finches")
    assert (response.status_code, slug(response)) == (403, "forbidden")
    assert await is_signed_in(visitor, other)
    await sign_in(visitor, newcomer.username)


async def test_wrong_current_passwords_count_as_failed_sign_ins(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    for _ in range(5):
        assert (await change_password(newcomer, "wrong", OTHER_PASSWORD)).status_code == 403
    limited = [
        await change_password(newcomer, PASSWORD, OTHER_PASSWORD),
        await newcomer.http.request("DELETE", "/api/users/me", json={"password": PASSWORD}),
        await visitor.post(
            "/api/sessions", json={"username": newcomer.username, "password": PASSWORD}
        ),
    ]
    assert [answer.status_code for answer in limited] == [429] * 3
    assert (await newcomer.http.get("/api/users/me")).status_code == 200


@pytest.mark.parametrize("new", ["short", "password1", "x" * 129])
async def test_a_new_password_follows_the_rules_of_registering(newcomer: Person, new: str) -> None:
    assert pointers(await change_password(newcomer, PASSWORD, new)) == ["/new"]
    assert pointers(await change_password(newcomer, PASSWORD, newcomer.username)) == ["/new"]


async def test_no_sign_in_with_the_old_password_outlives_its_change(
    board: Board, newcomer: Person
) -> None:
    who = {"username": newcomer.username, "password": PASSWORD}
    async with visiting(board) as http:
        changed, *started = await asyncio.gather(
            change_password(newcomer, PASSWORD, OTHER_PASSWORD),
            *(http.post("/api/sessions", json=who) for _ in range(4)),
        )
        assert changed.status_code == 204, changed.text
        assert {answer.status_code for answer in started} <= {201, 401}
    left = (await newcomer.http.get("/api/sessions")).json()
    assert [session["current"] for session in left] == [True]


# Sessions


async def test_sessions_of_a_user_are_listed_newest_first(board: Board) -> None:
    async with joining(board) as person, visiting(board) as http:
        http.headers["User-Agent"] = "A browser/1.0 é"
        await sign_in(http, person.username)
        response = await person.http.get("/api/sessions")
        newest, oldest = response.json()
        assert response.headers["cache-control"] == "private, no-store"
        assert set(newest) == {"id", "createdAt", "lastUsedAt", "userAgent", "current"}
        assert (newest["current"], oldest["current"]) == (False, True)
        assert newest["userAgent"].startswith("A browser/1.0")
        assert oldest["userAgent"].startswith("python-httpx")
        assert datetime.fromisoformat(newest["createdAt"]) >= datetime.fromisoformat(
            oldest["lastUsedAt"]
        )


async def test_sessions_come_in_pages(visitor: httpx.AsyncClient, newcomer: Person) -> None:
    for _ in range(2):
        await sign_in(visitor, newcomer.username)
    whole = (await newcomer.http.get("/api/sessions")).json()
    first = await newcomer.http.get("/api/sessions", params={"limit": 2})
    rest = await newcomer.http.get(first.links["next"]["url"])
    assert first.json() + rest.json() == whole
    assert len(whole) == 3
    assert "next" not in rest.links


async def test_a_cursor_of_another_list_is_refused(newcomer: Person, person: Person) -> None:
    link = (await person.http.get("/api/users", params={"limit": 1})).links["next"]["url"]
    response = await newcomer.http.get(link.replace("/api/users", "/api/sessions"))
    assert response.status_code == 400


async def test_user_can_end_only_their_own_sessions(
    visitor: httpx.AsyncClient, newcomer: Person, person: Person
) -> None:
    other = await sign_in(visitor, newcomer.username)
    [session] = [
        session
        for session in (await newcomer.http.get("/api/sessions")).json()
        if not session["current"]
    ]
    path = f"/api/sessions/{session['id']}"
    assert (await person.http.delete(path)).status_code == 404
    assert await is_signed_in(visitor, other)
    assert (await newcomer.http.delete(path)).status_code == 204
    assert not await is_signed_in(visitor, other)
    assert (await newcomer.http.delete(path)).status_code == 404
    assert (await visitor.delete(path)).status_code == 401


# Leaving


async def test_deleted_account_keeps_no_personal_data(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    await edit(newcomer, name="Ines Duarte", bio="Bakes.", email="ines@example.org")
    post = await newcomer.write((await newcomer.start_thread())["id"])
    other = await sign_in(visitor, newcomer.username)
    created = (await newcomer.http.get("/api/users/me")).json()["createdAt"]
    left = await newcomer.http.request("DELETE", "/api/users/me", json={"password": PASSWORD})
    assert (left.status_code, left.content) == (204, b"")
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert (await visitor.get(f"/api/users/{newcomer.id}")).json() == {
        "id": newcomer.id,
        "username": f"deleted-{newcomer.id}",
        "name": "Deleted user",
        "bio": "",
        "role": "member",
        "createdAt": created,
    }
    assert (await visitor.get("/api/users", params={"username": newcomer.username})).json() == []
    assert (await visitor.get(f"/api/posts/{post['id']}")).json()["user"] == newcomer.id
    assert not await is_signed_in(visitor, other)
    assert (await newcomer.http.get("/api/sessions")).status_code == 401
    for name in (newcomer.username, f"deleted-{newcomer.id}"):
        for password in (PASSWORD, ""):
            who = {"username": name, "password": password}
            assert (await visitor.post("/api/sessions", json=who)).status_code == 401
    again = {"username": newcomer.username, "password": PASSWORD}
    assert (await visitor.post("/api/users", json=again)).status_code == 409


async def test_deleting_the_account_needs_the_password(newcomer: Person) -> None:
    path = "/api/users/me"
    wrong = await newcomer.http.request("DELETE", path, json={"password": OTHER_PASSWORD})
    assert (wrong.status_code, slug(wrong)) == (403, "forbidden")
    assert pointers(await newcomer.http.request("DELETE", path, json={})) == ["/password"]
    assert (await newcomer.http.delete(path)).status_code == 422
    assert (await newcomer.http.get(path)).status_code == 200


async def test_concurrent_account_deletions_delete_once(newcomer: Person) -> None:
    answers = await asyncio.gather(
        *(
            newcomer.http.request("DELETE", "/api/users/me", json={"password": PASSWORD})
            for _ in range(3)
        )
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 204
    assert set(statuses[1:]) <= {401, 403}


async def test_concurrent_registrations_of_one_name_succeed_once(
    visitor: httpx.AsyncClient,
) -> None:
    who = {"username": new_username(), "password": PASSWORD}
    answers = await asyncio.gather(*(visitor.post("/api/users", json=who) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4
