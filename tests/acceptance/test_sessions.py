"""Signing in and out."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.deployments import Board
from tests.eventually import eventually
from tests.people import PASSWORD, Person, visiting
from tests.problems import pointers, without_request_id


async def sign_in(http: httpx.AsyncClient, username: str) -> httpx.Response:
    who = {"username": username, "password": PASSWORD}
    response = await http.post("/api/sessions", json=who)
    assert response.status_code == 201, response.text
    return response


async def test_signing_in_returns_the_token_its_expiry_and_the_user(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    response = await sign_in(visitor, person.username)
    session = response.json()
    assert set(session) == {"token", "expiresAt", "user"}
    assert len(session["token"]) >= 43  # 256 bits in base64
    ends = datetime.fromisoformat(session["expiresAt"])
    assert abs(ends - datetime.now(UTC) - timedelta(days=14)) < timedelta(minutes=1)
    me = await person.http.get("/api/users/me")
    assert session["user"] == me.json()
    assert response.headers["cache-control"] == "private, no-store"


@pytest.mark.in_loop
async def test_username_is_case_insensitive_when_signing_in(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    session = (await sign_in(visitor, person.username.upper())).json()
    assert session["user"]["username"] == person.username


async def test_an_unknown_name_and_a_wrong_password_are_the_same_401(
    visitor: httpx.AsyncClient, person: Person
) -> None:
    answers = [
        await visitor.post("/api/sessions", json={"username": name, "password": password})
        for name, password in [
            (person.username, "not the password"),
            ("nobody-has-this-name", PASSWORD),
            ("", ""),
            (person.username, PASSWORD.upper()),
        ]
    ]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert all("set-cookie" not in answer.headers for answer in answers)
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers)
    assert len({str(without_request_id(answer)) for answer in answers}) == 1


@pytest.mark.in_loop
@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["/username", "/password"]),
        ({"username": "ines", "password": None}, ["/password"]),
        ({"username": ["ines"], "password": PASSWORD}, ["/username"]),
        ({"username": "ines", "password": PASSWORD, "remember": True}, ["/remember"]),
    ],
    ids=str,
)
async def test_signing_in_with_invalid_fields_is_rejected(
    visitor: httpx.AsyncClient, body: dict[str, object], wrong: list[str]
) -> None:
    assert pointers(await visitor.post("/api/sessions", json=body)) == wrong


async def test_the_token_works_as_bearer_and_as_cookie(
    board: Board, visitor: httpx.AsyncClient, person: Person
) -> None:
    response = await sign_in(visitor, person.username)
    name = "__Host-session" if "localhost" in board.public_origin else "session"
    visitor.cookies.clear()
    for headers in (
        {"Authorization": f"Bearer {response.json()['token']}"},
        {"Authorization": f"bearer  {response.json()['token']}"},
        {"Cookie": f"{name}={response.json()['token']}"},
    ):
        me = await visitor.get("/api/users/me", headers=headers)
        assert (me.status_code, me.json()["id"]) == (200, person.id), headers


async def test_cookie_is_not_available_to_scripts_and_other_sites(
    board: Board, visitor: httpx.AsyncClient, person: Person
) -> None:
    response = await sign_in(visitor, person.username)
    value, *attributes = response.headers["set-cookie"].split("; ")
    secure = "localhost" in board.public_origin
    name = "__Host-session" if secure else "session"
    assert value == f"{name}={response.json()['token']}"
    wanted = {"HttpOnly", "Path=/", "SameSite=lax", f"Max-Age={60 * 24 * 3600}"}
    assert set(attributes) == wanted | ({"Secure"} if secure else set())


@pytest.mark.in_loop
@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer"},
        {"Authorization": "Basic aW5lczpwdw=="}, {"Cookie": "session=nonsense"},
        {"Cookie": "__Host-session=nonsense"}, {"Authorization": "Bearer \u00e9".encode("latin-1")},
    ],
    ids=str,
)  # fmt: skip
async def test_me_rejects_invalid_tokens(
    visitor: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await visitor.get("/api/users/me", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.in_loop
@pytest.mark.parametrize("path", ["/api/users", "/api/threads", "/api/posts", "/api/users/{id}"])
@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Basic x", "nonsense"])
async def test_public_get_ignores_invalid_credentials(
    visitor: httpx.AsyncClient, person: Person, path: str, authorization: str
) -> None:
    headers = {"Authorization": authorization, "Cookie": "session=x; __Host-session=x"}
    response = await visitor.get(path.format(id=person.id), headers=headers)
    assert response.status_code == 200


async def test_signing_out_ends_the_session_everywhere_soon(
    newcomer: Person,
) -> None:
    thread = await newcomer.start_thread()
    await newcomer.write(thread["id"])
    response = await newcomer.http.delete("/api/sessions/current")
    assert (response.status_code, response.content) == (204, b"")
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert (await newcomer.http.get("/api/users/me")).status_code == 401

    async def ended() -> bool:
        writes = [
            await newcomer.http.post("/api/threads", json={"title": "Too late"}),
            await newcomer.http.post("/api/posts", json={"thread": thread["id"], "text": "?"}),
        ]
        return [write.status_code for write in writes] == [401, 401]

    await eventually(ended)


async def test_signing_out_leaves_the_other_sessions(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    other = (await sign_in(visitor, newcomer.username)).json()["token"]
    assert (await newcomer.http.delete("/api/sessions/current")).status_code == 204
    assert (await newcomer.http.delete("/api/sessions/current")).status_code == 401
    visitor.cookies.clear()
    me = await visitor.get("/api/users/me", headers={"Authorization": f"Bearer {other}"})
    assert me.status_code == 200


async def test_signing_out_with_the_cookie_clears_it(board: Board, newcomer: Person) -> None:
    name = "__Host-session" if "localhost" in board.public_origin else "session"
    async with visiting(board) as http:
        http.headers["Cookie"] = f"{name}={newcomer.token}"
        response = await http.delete("/api/sessions/current")
        assert response.status_code == 204
        assert response.headers["set-cookie"].startswith(f'{name}=""; ')
        assert (await http.get("/api/users/me")).status_code == 401
