"""Moderators' and admins' actions on other users: roles, bans, and password links."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from tests.deployments import ROOT, Board
from tests.eventually import eventually
from tests.people import PASSWORD, Person, joining, joining_as, sign_in
from tests.problems import pointers, slug

pytestmark = pytest.mark.in_loop

NEW_PASSWORD = "nine loud otters"


@pytest_asyncio.fixture(scope="session")
async def admin(board: Board) -> AsyncIterator[Person]:
    async with joining_as(board, "admin") as person:
        yield person


@pytest_asyncio.fixture(scope="session")
async def moderator(board: Board) -> AsyncIterator[Person]:
    async with joining_as(board, "moderator") as person:
        yield person


async def set_role(who: Person, user: int, role: Any) -> httpx.Response:
    return await who.http.put(f"/api/users/{user}/role", json={"role": role})


async def ban(who: Person, user: int, **fields: Any) -> httpx.Response:
    return await who.http.put(f"/api/users/{user}/ban", json={"reason": "Advertising", **fields})


async def leave(person: Person) -> None:
    answer = await person.http.request("DELETE", "/api/users/me", json={"password": PASSWORD})
    assert answer.status_code == 204


async def reset_link(admin: Person, user: int) -> str:
    """The token of a new link."""
    response = await admin.http.post(f"/api/users/{user}/password-reset")
    assert response.status_code == 201, response.text
    page, _, token = response.json()["link"].partition("#")
    assert page == "/password-resets"
    return str(token)


async def use_link(http: httpx.AsyncClient, token: str, password: str) -> httpx.Response:
    return await http.post(
        "/api/users/password-resets", json={"token": token, "password": password}
    )


# Roles


async def test_admins_can_change_roles(admin: Person, newcomer: Person) -> None:
    before = (await newcomer.http.get(f"/api/users/{newcomer.id}")).json()
    for role in ("moderator", "admin", "moderator", "member"):
        response = await set_role(admin, newcomer.id, role)
        assert response.status_code == 200
        assert response.json() == {**before, "role": role}
        assert (await newcomer.http.get("/api/users/me")).json()["role"] == role


async def test_only_admins_can_change_roles(
    visitor: httpx.AsyncClient, moderator: Person, person: Person, newcomer: Person
) -> None:
    for who in (moderator, person, newcomer):
        for user in (newcomer.id, 2**63 - 1):
            response = await set_role(who, user, "admin")
            assert (response.status_code, slug(response)) == (403, "forbidden")
    path = f"/api/users/{newcomer.id}/role"
    assert (await visitor.put(path, json={"role": "admin"})).status_code == 401
    assert (await newcomer.http.get("/api/users/me")).json()["role"] == "member"


@pytest.mark.parametrize("role", ["owner", "", None, "Admin", 1, ["admin"]], ids=str)
async def test_a_role_is_one_of_three(admin: Person, person: Person, role: Any) -> None:
    assert pointers(await set_role(admin, person.id, role)) == ["/role"]


async def test_a_new_role_holds_in_other_contexts_soon(
    admin: Person, person: Person, newcomer: Person
) -> None:
    lock = f"/api/threads/{(await person.start_thread())['id']}/lock"
    assert (await newcomer.http.put(lock)).status_code == 403
    await set_role(admin, newcomer.id, "moderator")

    async def locks(status: int) -> bool:
        return (await newcomer.http.put(lock)).status_code == status

    await eventually(lambda: locks(204))
    await set_role(admin, newcomer.id, "member")
    await eventually(lambda: locks(403))


async def test_unknown_and_deleted_users_cannot_be_moderated(board: Board, admin: Person) -> None:
    async with joining(board) as person:
        await leave(person)
    for user, status in ((2**63 - 1, 404), (person.id, 409)):
        answers = [
            await set_role(admin, user, "moderator"),
            await ban(admin, user),
            await admin.http.delete(f"/api/users/{user}/ban"),
            await admin.http.post(f"/api/users/{user}/password-reset"),
        ]
        assert [answer.status_code for answer in answers] == [status] * 4


# Bans


async def test_a_ban_ends_every_session_and_holds_everywhere_soon(
    visitor: httpx.AsyncClient, moderator: Person, newcomer: Person
) -> None:
    thread = (await newcomer.start_thread())["id"]
    await newcomer.write(thread)
    other = await sign_in(visitor, newcomer.username)
    assert (await ban(moderator, newcomer.id)).status_code == 204
    for headers in ({}, other):
        gone = await newcomer.http.get("/api/users/me", headers=headers)
        assert gone.status_code == 401

    async def shut_out() -> bool:
        answers = [
            await newcomer.http.post("/api/threads", json={"title": "Still here"}),
            await newcomer.http.post("/api/posts", json={"thread": thread, "text": "?"}),
        ]
        return [answer.status_code for answer in answers] == [401, 401]

    await eventually(shut_out)


async def test_banned_user_can_read_but_not_write(
    visitor: httpx.AsyncClient, moderator: Person, newcomer: Person
) -> None:
    thread = (await newcomer.start_thread())["id"]
    post = (await newcomer.write(thread))["id"]
    await ban(moderator, newcomer.id, reason="Sells watches")
    visitor.headers.update(await sign_in(visitor, newcomer.username))
    for path in ("/api/users/me", "/api/sessions", "/api/threads", f"/api/posts/{post}"):
        assert (await visitor.get(path)).status_code == 200
    refused = [
        await visitor.post("/api/threads", json={"title": "Watches"}),
        await visitor.post("/api/posts", json={"thread": thread, "text": "Watches"}),
        await visitor.patch(f"/api/posts/{post}", json={"text": "x"}, headers={"If-Match": "*"}),
        await visitor.delete(f"/api/posts/{post}"),
        await visitor.patch("/api/users/me", json={}, headers={"If-Match": "*"}),
        await visitor.put(
            "/api/users/me/password", json={"current": PASSWORD, "new": NEW_PASSWORD}
        ),
        await visitor.put(f"/api/users/{newcomer.id}/role", json={"role": "admin"}),
        await visitor.delete(f"/api/users/{newcomer.id}/ban"),
        await visitor.post(f"/api/users/{newcomer.id}/password-reset"),
    ]
    assert [(answer.status_code, slug(answer)) for answer in refused] == [(403, "banned")] * 9
    assert all("Sells watches" in answer.json()["detail"] for answer in refused)
    assert (await visitor.delete("/api/sessions/current")).status_code == 204


async def test_banned_user_can_delete_the_account(
    board: Board, visitor: httpx.AsyncClient, moderator: Person, newcomer: Person
) -> None:
    await ban(moderator, newcomer.id, reason="Free text about somebody")
    headers = await sign_in(visitor, newcomer.username)
    left = await visitor.request(
        "DELETE", "/api/users/me", json={"password": PASSWORD}, headers=headers
    )
    assert left.status_code == 204
    connection = await asyncpg.connect(board.databases["users"])
    try:
        assert await connection.fetch("SELECT * FROM bans WHERE user_id = $1", newcomer.id) == []
    finally:
        await connection.close()


async def test_a_ban_and_lifting_it_may_be_repeated(
    visitor: httpx.AsyncClient, moderator: Person, newcomer: Person
) -> None:
    for reason in ("First", "Second"):
        assert (await ban(moderator, newcomer.id, reason=reason)).status_code == 204
    headers = await sign_in(visitor, newcomer.username)
    refused = await visitor.post("/api/threads", json={"title": "Hello"}, headers=headers)
    assert "Second" in refused.json()["detail"]
    for _ in range(2):
        lifted = await moderator.http.delete(f"/api/users/{newcomer.id}/ban")
        assert lifted.status_code == 204
    started = await visitor.post("/api/threads", json={"title": "Hello"}, headers=headers)
    assert started.status_code == 201


async def test_a_ban_ends_by_itself(
    visitor: httpx.AsyncClient, moderator: Person, newcomer: Person
) -> None:
    headers: dict[str, str] = {}
    found, until = "", datetime.now(UTC)
    change = {"current": "wrong", "new": NEW_PASSWORD}

    async def problem() -> str:
        return slug(await visitor.put("/api/users/me/password", json=change, headers=headers))

    # If signing in takes longer than the ban, try again with a longer one.
    for seconds in (1.5, 5, 15):
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        await ban(moderator, newcomer.id, until=until.astimezone().isoformat())
        headers = await sign_in(visitor, newcomer.username)
        if (found := await problem()) == "banned":
            break
        assert datetime.now(UTC) >= until
    assert found == "banned"

    async def over() -> bool:
        thread = await visitor.post("/api/threads", json={"title": "Back"}, headers=headers)
        return thread.status_code == 201

    await eventually(over, within=30)
    assert datetime.now(UTC) >= until
    assert await problem() == "forbidden"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"reason": ""}, ["/reason"]),
        ({"reason": None}, ["/reason"]),
        ({"reason": "x" * 501}, ["/reason"]),
        ({"until": "2020-01-01T00:00:00Z"}, ["/until"]),
        ({"until": "0001-01-01T00:00:00+14:00"}, ["/until"]),
        ({"until": "9999-12-31T23:59:59-14:00"}, ["/until"]),
        ({"until": "2040-01-01T00:00:00"}, ["/until"]),
        ({"until": "2040-01-01"}, ["/until"]),
        ({"until": "tomorrow"}, ["/until"]),
        ({"until": 2524608000}, ["/until"]),
        ({"until": "2524608000"}, ["/until"]),
        ({"for": "ever"}, ["/for"]),
    ],
    ids=str,
)
async def test_invalid_ban_is_rejected_with_its_field(
    moderator: Person, person: Person, fields: dict[str, Any], wrong: list[str]
) -> None:
    assert pointers(await ban(moderator, person.id, **fields)) == wrong


async def test_users_can_be_banned_only_by_higher_roles(
    board: Board, admin: Person, moderator: Person, person: Person, newcomer: Person
) -> None:
    async with joining_as(board, "moderator") as other, joining_as(board, "admin") as another:
        for who, user in (
            (moderator, moderator.id), (moderator, other.id), (moderator, admin.id),
            (admin, admin.id), (admin, another.id), (person, newcomer.id), (person, person.id),
            (person, 2**63 - 1),
        ):  # fmt: skip
            answers = [await ban(who, user), await who.http.delete(f"/api/users/{user}/ban")]
            assert [answer.status_code for answer in answers] == [403, 403]
        assert (await ban(admin, other.id)).status_code == 204


async def test_banned_user_cannot_be_promoted(admin: Person, newcomer: Person) -> None:
    await ban(admin, newcomer.id)
    assert (await set_role(admin, newcomer.id, "moderator")).status_code == 409
    assert (await set_role(admin, newcomer.id, "member")).status_code == 200
    await admin.http.delete(f"/api/users/{newcomer.id}/ban")
    assert (await set_role(admin, newcomer.id, "moderator")).status_code == 200


# Links for a new password


async def test_a_link_sets_a_password_once_and_ends_every_session(
    visitor: httpx.AsyncClient, admin: Person, newcomer: Person
) -> None:
    response = await admin.http.post(f"/api/users/{newcomer.id}/password-reset")
    assert response.status_code == 201
    assert response.headers["cache-control"] == "private, no-store"
    assert set(response.json()) == {"link", "expiresAt"}
    page, _, link = response.json()["link"].partition("#")
    assert page == "/password-resets"
    ends = datetime.fromisoformat(response.json()["expiresAt"])
    assert abs(ends - datetime.now(UTC) - timedelta(hours=24)) < timedelta(minutes=1)
    assert (await use_link(visitor, link, NEW_PASSWORD)).status_code == 204
    assert (await newcomer.http.get("/api/users/me")).status_code == 401
    old = {"username": newcomer.username, "password": PASSWORD}
    assert (await visitor.post("/api/sessions", json=old)).status_code == 401
    await sign_in(visitor, newcomer.username, NEW_PASSWORD)
    again = await use_link(visitor, link, "twelve green finches")
    assert (again.status_code, slug(again)) == (404, "not-found")
    await sign_in(visitor, newcomer.username, NEW_PASSWORD)


async def test_a_link_used_twice_at_once_works_once(
    visitor: httpx.AsyncClient, admin: Person, newcomer: Person
) -> None:
    link = await reset_link(admin, newcomer.id)
    passwords = [f"{NEW_PASSWORD} {n}" for n in range(4)]
    answers = await asyncio.gather(*(use_link(visitor, link, password) for password in passwords))
    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 3
    right = [p for p, a in zip(passwords, answers, strict=True) if a.status_code == 204]
    await sign_in(visitor, newcomer.username, *right)


async def test_invalid_password_does_not_use_up_the_link(
    visitor: httpx.AsyncClient, admin: Person, newcomer: Person
) -> None:
    link = await reset_link(admin, newcomer.id)
    for password in ("short", "password1", newcomer.username):
        assert pointers(await use_link(visitor, link, password)) == ["/password"]
    assert (await use_link(visitor, link, NEW_PASSWORD)).status_code == 204


async def test_expired_replaced_or_forged_link_returns_404(
    board: Board, visitor: httpx.AsyncClient, admin: Person, newcomer: Person
) -> None:
    links = [await reset_link(admin, newcomer.id) for _ in range(2)]
    links.append("A" * 43)
    connection = await asyncpg.connect(board.databases["users"])
    try:
        for link in (links[0], links[2], f"{links[1]}x"):
            assert (await use_link(visitor, link, NEW_PASSWORD)).status_code == 404
        await connection.execute(
            "UPDATE password_resets SET expires_at = expires_at - interval '24 hours' "
            "WHERE user_id = $1",
            newcomer.id,
        )
    finally:
        await connection.close()
    assert (await use_link(visitor, links[1], NEW_PASSWORD)).status_code == 404


async def test_password_change_invalidates_links(
    visitor: httpx.AsyncClient, admin: Person, newcomer: Person
) -> None:
    link = await reset_link(admin, newcomer.id)
    change = {"current": PASSWORD, "new": NEW_PASSWORD}
    assert (await newcomer.http.put("/api/users/me/password", json=change)).status_code == 204
    assert (await use_link(visitor, link, PASSWORD)).status_code == 404


async def test_password_link_ends_a_lockout(
    visitor: httpx.AsyncClient, admin: Person, newcomer: Person
) -> None:
    wrong = {"username": newcomer.username, "password": "wrong"}
    statuses = [(await visitor.post("/api/sessions", json=wrong)).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    link = await reset_link(admin, newcomer.id)
    assert (await use_link(visitor, link, NEW_PASSWORD)).status_code == 204
    await sign_in(visitor, newcomer.username, NEW_PASSWORD)


async def test_link_is_not_stored_with_an_idempotency_key(
    board: Board, admin: Person, newcomer: Person
) -> None:
    path, headers = f"/api/users/{newcomer.id}/password-reset", {"Idempotency-Key": "once"}
    first, second = [await admin.http.post(path, headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["link"] != second.json()["link"]
    connection = await asyncpg.connect(board.databases["users"])
    try:
        assert not await connection.fetchval(
            "SELECT count(*) FROM idempotency_keys WHERE path = $1", path
        )
    finally:
        await connection.close()


async def test_token_in_a_path_is_rejected_and_stays_valid(
    visitor: httpx.AsyncClient, admin: Person, newcomer: Person
) -> None:
    link = await reset_link(admin, newcomer.id)
    old_path = f"/api/users/password-resets/{link}"
    refused = await visitor.post(old_path, json={"password": NEW_PASSWORD})
    assert (refused.status_code, slug(refused)) == (410, "gone")
    assert (await use_link(visitor, link, NEW_PASSWORD)).status_code == 204


@pytest.mark.parametrize("end", ["demoted", "deleted", "banned"])
async def test_link_ends_with_the_role_ban_or_account_of_its_creator(
    board: Board, visitor: httpx.AsyncClient, admin: Person, newcomer: Person, end: str
) -> None:
    async with joining_as(board, "admin") as maker:
        link = await reset_link(maker, newcomer.id)
        if end == "deleted":
            await leave(maker)
        else:
            assert (await set_role(admin, maker.id, "member")).status_code == 200
        if end == "banned":
            assert (await ban(admin, maker.id)).status_code == 204
            connection = await asyncpg.connect(board.databases["users"])
            try:  # no request makes a banned user an admin
                await connection.execute("UPDATE users SET role = 'admin' WHERE id = $1", maker.id)
            finally:
                await connection.close()
        refused = await use_link(visitor, link, NEW_PASSWORD)
        assert (refused.status_code, slug(refused)) == (404, "not-found")
        if end == "banned":
            connection = await asyncpg.connect(board.databases["users"])
            try:
                await connection.execute("UPDATE users SET role = 'member' WHERE id = $1", maker.id)
            finally:
                await connection.close()
    await sign_in(visitor, newcomer.username)


async def test_only_admins_can_create_links(
    moderator: Person, person: Person, newcomer: Person
) -> None:
    for who in (moderator, person, newcomer):
        answer = await who.http.post(f"/api/users/{newcomer.id}/password-reset")
        assert answer.status_code == 403


# The command line


async def test_an_operator_makes_an_admin(board: Board, newcomer: Person) -> None:
    for _ in range(2):
        done = grant_admin(board, newcomer.username.upper())
        assert (done.returncode, done.stderr) == (0, "")
    assert (await newcomer.http.get("/api/users/me")).json()["role"] == "admin"


async def test_operator_gets_an_error_for_an_unknown_user(board: Board) -> None:
    done = grant_admin(board, "nobody-has-this-name")
    assert done.returncode == 1
    assert done.stderr == "board: There is no user named 'nobody-has-this-name'.\n"


def grant_admin(board: Board, name: str) -> "subprocess.CompletedProcess[str]":
    """Run the command with only the database that it needs."""
    environment = {name: value for name, value in os.environ.items() if "DATABASE" not in name}
    environment["USERS_DATABASE_URL"] = board.databases["users"]
    return subprocess.run(
        [sys.executable, "-m", "board", "grant-admin", name],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
