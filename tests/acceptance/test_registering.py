"""Registration."""

import asyncio
import re
import secrets
import string
from typing import Any

import asyncpg
import httpx
import pytest

from tests.deployments import Board
from tests.people import PASSWORD, Person, joining_as, new_username
from tests.problems import pointers, slug

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def register(http: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    who = {"username": new_username(), "password": PASSWORD, **fields}
    return await http.post("/api/users", json=who)


async def test_registration_returns_201_with_the_user_and_its_location(
    visitor: httpx.AsyncClient,
) -> None:
    username = new_username()
    response = await register(
        visitor, username=username, name="Ines Duarte", bio="Bakes.\nReads.", email="i@example.org"
    )
    user = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/api/users/{user['id']}"
    assert TIMESTAMP.fullmatch(user.pop("createdAt"))
    assert user.pop("id") > 0
    assert user == {
        "username": username,
        "name": "Ines Duarte",
        "bio": "Bakes.\nReads.",
        "role": "member",
        "email": "i@example.org",
        "ban": None,
    }


async def test_username_is_shown_without_a_name(visitor: httpx.AsyncClient) -> None:
    user = (await register(visitor)).json()
    assert (user["name"], user["bio"], user["email"]) == (user["username"], "", None)


async def test_email_is_visible_only_to_its_owner(visitor: httpx.AsyncClient) -> None:
    user = (await register(visitor, email="ines@example.org")).json()
    public = (await visitor.get(f"/api/users/{user['id']}")).json()
    assert public == {name: value for name, value in user.items() if name not in {"email", "ban"}}
    named = await visitor.get("/api/users", params={"username": user["username"]})
    assert named.json() == [public]


@pytest.mark.parametrize("change", [str, str.upper, str.title], ids=["same", "upper", "title"])
async def test_a_name_is_taken_whatever_its_case(
    visitor: httpx.AsyncClient, person: Person, change: Any
) -> None:
    response = await register(visitor, username=change(person.username))
    assert (response.status_code, slug(response)) == (409, "conflict")


@pytest.mark.one_deployment
@pytest.mark.parametrize("username", ["deleted-7", "DELETED-ines", "deleted-"])
async def test_usernames_of_deleted_users_are_taken(
    visitor: httpx.AsyncClient, username: str
) -> None:
    assert (await register(visitor, username=username)).status_code == 409


async def test_concurrent_registrations_of_a_name_succeed_once(visitor: httpx.AsyncClient) -> None:
    username = new_username()
    answers = await asyncio.gather(
        register(visitor, username=username), register(visitor, username=username.upper())
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


@pytest.mark.one_deployment
@pytest.mark.parametrize(
    "username",
    [
        "", "a", "a" * 21, "ines duarte", "ines.d", "ines@home", "inês", "\u0456nes", "名前",
        "ines\n", "ines\u200b", "\uff49nes", "ines/..",
    ],
)  # fmt: skip
async def test_a_username_is_2_to_20_plain_characters(
    visitor: httpx.AsyncClient, username: str
) -> None:
    assert pointers(await register(visitor, username=username)) == ["/username"]


@pytest.mark.one_deployment
@pytest.mark.parametrize("length", [2, 20])
async def test_username_of_minimum_and_maximum_length_is_accepted(
    visitor: httpx.AsyncClient, length: int
) -> None:
    alphabet = string.ascii_letters + string.digits + "-_"
    username = "".join(secrets.choice(alphabet) for _ in range(length))
    # An earlier test may have taken a name of two characters; it must only be valid.
    assert (await register(visitor, username=username)).status_code in {201, 409}


@pytest.mark.one_deployment
@pytest.mark.parametrize("length", [8, 128])
async def test_password_of_8_to_128_characters_is_accepted(
    visitor: httpx.AsyncClient, length: int
) -> None:
    password = "é†𝄞 xyz!" * 16
    response = await register(visitor, password=password[:length])
    assert response.status_code == 201


@pytest.mark.one_deployment
@pytest.mark.parametrize(
    "password",
    [
        "", "seven77", "x" * 129, "password1", "PassWord1", "iloveyou", "12345678", "aaaaaaaa",
        "abcdefgh", "87654321", " " * 8, "abcabcabc", "zxcvbnm,", "a" * 128,
    ],
)  # fmt: skip
async def test_a_password_that_is_short_long_or_common_is_refused(
    visitor: httpx.AsyncClient, password: str
) -> None:
    assert pointers(await register(visitor, password=password)) == ["/password"]


@pytest.mark.one_deployment
@pytest.mark.parametrize("change", [str, str.upper], ids=["same", "upper"])
async def test_a_password_must_not_be_the_username(visitor: httpx.AsyncClient, change: Any) -> None:
    username = new_username()
    answer = await register(visitor, username=username, password=change(username))
    assert pointers(answer) == ["/password"]


@pytest.mark.one_deployment
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x"), ("name", "é" * 60), ("name", None), ("bio", ""), ("bio", "é" * 500),
        ("email", None), ("email", "a@b"), ("email", f"{'a' * 250}@b.c"),
    ],
    ids=str,
)  # fmt: skip
async def test_valid_field_is_stored(
    visitor: httpx.AsyncClient, field: str, value: str | None
) -> None:
    response = await register(visitor, **{field: value})
    assert response.status_code == 201, response.text
    assert response.json()[field] == (
        response.json()["username"] if (field, value) == ("name", None) else value
    )


@pytest.mark.one_deployment
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", "x" * 61), ("name", "   "), ("name", "\u200b\u2060"),
        ("name", "two\nlines"), ("name", "bell\a"), ("bio", "x" * 501), ("bio", None),
        ("email", ""), ("email", "nobody"), ("email", "a@b@c"), ("email", "a b@c.d"),
        ("email", f"{'a' * 251}@b.c"), ("role", "admin"), ("id", 7), ("Username", "ines"),
    ],
    ids=str,
)  # fmt: skip
async def test_invalid_field_is_rejected_with_its_name(
    visitor: httpx.AsyncClient, field: str, value: Any
) -> None:
    assert pointers(await register(visitor, **{field: value})) == [f"/{field}"]


@pytest.mark.one_deployment
async def test_a_name_is_trimmed(visitor: httpx.AsyncClient) -> None:
    assert (await register(visitor, name="  Ines \t")).json()["name"] == "Ines"


@pytest.mark.one_deployment
async def test_all_invalid_fields_are_reported_at_once(visitor: httpx.AsyncClient) -> None:
    response = await visitor.post("/api/users", json={"password": "short", "bio": 7, "x": 1})
    assert sorted(pointers(response)) == ["/bio", "/password", "/username", "/x"]


@pytest.mark.one_deployment
async def test_a_password_is_never_shown_in_an_answer(visitor: httpx.AsyncClient) -> None:
    secret = "x" * 130 + "verysecret"
    assert "verysecret" not in (await register(visitor, password=secret)).text
    assert PASSWORD not in (await register(visitor, username="?")).text


@pytest.mark.one_deployment
@pytest.mark.parametrize(
    ("password", "why"), [("aaaaaaaa", "Repeats"), ("abcdefgh", "Sequences"), (" " * 8, "Repeats")]
)
async def test_the_refusal_of_a_password_says_why(
    visitor: httpx.AsyncClient, password: str, why: str
) -> None:
    response = await register(visitor, password=password)
    assert response.json()["errors"][0]["detail"].startswith(why)


@pytest.mark.one_deployment
@pytest.mark.parametrize(
    "username",
    ["admin", "Admin", "ADM1N", "ad-min", "moderator", "m0derator", "system", "root", "support"],
)
async def test_names_that_suggest_authority_are_taken(
    visitor: httpx.AsyncClient, username: str
) -> None:
    assert (await register(visitor, username=username)).status_code == 409


@pytest.mark.one_deployment
async def test_the_name_of_a_deleted_account_stays_taken(
    visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    left = await newcomer.http.request("DELETE", "/api/users/me", json={"password": PASSWORD})
    assert left.status_code == 204
    for username in (newcomer.username, newcomer.username.upper()):
        assert (await register(visitor, username=username)).status_code == 409


@pytest.mark.one_deployment
@pytest.mark.parametrize(
    "invisible", ["\u034f", "\ufe0f", "\u3164", "\u2800", "\u180b", "\u115f\u00ad", "\u0301"]
)
async def test_names_titles_and_posts_need_visible_characters(
    person: Person, invisible: str
) -> None:
    thread = (await person.start_thread())["id"]
    assert pointers(await register(person.http, name=invisible)) == ["/name"]
    title = await person.http.post("/api/threads", json={"title": invisible * 3})
    assert pointers(title) == ["/title"]
    post = await person.http.post("/api/posts", json={"thread": thread, "text": invisible})
    assert pointers(post) == ["/text"]
    assert (await register(person.http, name=f"{invisible}x")).status_code == 201


@pytest.mark.one_deployment
async def test_lengths_are_counted_in_composed_characters(visitor: httpx.AsyncClient) -> None:
    response = await register(visitor, name="e\u0301" * 60)
    assert (response.status_code, response.json()["name"]) == (201, "é" * 60)
    assert pointers(await register(visitor, name="e\u0301" * 61)) == ["/name"]


@pytest.mark.one_deployment
async def test_a_name_like_a_moderators_is_refused(
    board: Board, visitor: httpx.AsyncClient, person: Person
) -> None:
    async with joining_as(board, "moderator") as staff:
        digits = str.maketrans("0123456789", "ghijkmnpqs")
        marker = staff.username.removeprefix("ines-").translate(digits)
        named = {"name": f"Otilia {marker}"}
        mine = await staff.http.patch("/api/users/me", json=named, headers={"If-Match": "*"})
        assert mine.status_code == 200
        again = await staff.http.patch("/api/users/me", json=named, headers={"If-Match": "*"})
        assert again.status_code == 200
        for name in (
            f"Otilia {marker}", f"OTILIA{marker}", f"\u041etilia {marker}", f"0tiIia {marker}",
            f"\u00d3t\u0456lia-{marker}", f"O\u200btilia {marker}",
        ):  # fmt: skip
            assert pointers(await register(visitor, name=name)) == ["/name"], name
            edit = await person.http.patch(
                "/api/users/me", json={"name": name}, headers={"If-Match": "*"}
            )
            assert pointers(edit) == ["/name"], name
        two = [await register(visitor, name=f"Another {marker}") for _ in range(2)]
        assert [answer.status_code for answer in two] == [201, 201]
        unlike = staff.username.replace("ines", "1nes")
        assert pointers(await register(visitor, username=unlike)) == ["/username"]
    await set_member(board, staff)
    assert (await register(visitor, name=f"Otilia {marker}")).status_code == 201


async def set_member(board: Board, person: Person) -> None:
    """Make a user a member."""
    connection = await asyncpg.connect(board.databases["users"])
    try:
        await connection.execute("UPDATE users SET role = 'member' WHERE id = $1", person.id)
    finally:
        await connection.close()
