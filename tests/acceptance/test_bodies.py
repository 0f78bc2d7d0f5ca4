"""Bodies that do not fit: too large, of another type, not JSON."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.deployments import Board
from tests.people import Person
from tests.problems import pointers, slug
from tests.raw import send

POSTS = ["/api/users", "/api/sessions", "/api/threads", "/api/posts"]
MEBIBYTE = 1024 * 1024


def text_body(length: int) -> bytes:
    """JSON of so many bytes, that says nothing an operation could take."""
    return json.dumps({"x": "y" * (length - len('{"x": ""}'))}).encode()


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_over_a_mebibyte_is_refused(person: Person, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (text_body(MEBIBYTE + 1), text_body(3 * MEBIBYTE)):
        response = await person.http.post(path, content=body, headers=headers)
        assert (response.status_code, slug(response)) == (413, "too-large")


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_of_a_mebibyte_is_read(person: Person, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = await person.http.post(path, content=text_body(MEBIBYTE), headers=headers)
    assert "/x" in pointers(response)


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_of_undeclared_length_is_bounded_too(person: Person, path: str) -> None:
    async def chunks(length: int) -> AsyncIterator[bytes]:
        body = text_body(length)
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    headers = {"Content-Type": "application/json"}
    response = await person.http.post(path, content=chunks(MEBIBYTE + 1), headers=headers)
    assert (response.status_code, slug(response)) == (413, "too-large")
    response = await person.http.post(path, content=chunks(MEBIBYTE), headers=headers)
    assert "/x" in pointers(response)


@pytest.mark.in_loop
async def test_a_body_declared_too_large_is_refused_before_it_is_sent(board: Board) -> None:
    for origin in board.origins.values():
        context = "users" if origin == board.origins.get("monolith") else None
        path = f"/api/{context or _name(board, origin)}"
        head = f"POST {path} HTTP/1.1\nContent-Type: application/json\nContent-Length: 1048577"
        answer = await send(origin, f"{head}\nAuthorization: Bearer x", within=5)
        assert answer.status == 413


def _name(board: Board, origin: str) -> str:
    return next(name for name, url in board.origins.items() if url == origin)


@pytest.mark.in_loop
@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "content_type",
    [
        None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "application/json; charset=latin-1", "application/json; charset=utf-16", "application/xml",
        "application/jsonx", "application/problem+json", "json", "", ";",
    ],
)  # fmt: skip
async def test_a_body_of_another_type_is_refused(
    person: Person, path: str, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await person.http.post(path, content=b'{"title": "Night"}', headers=headers)
    assert (response.status_code, slug(response)) == (415, "unsupported-media-type")


@pytest.mark.in_loop
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json", "application/json; charset=utf-8", "Application/JSON; Charset=UTF-8",
        'application/json;charset="utf-8"',
    ],
)  # fmt: skip
async def test_json_in_utf_8_is_taken(person: Person, content_type: str) -> None:
    body = json.dumps({"title": "Zugvögel"}, ensure_ascii=False).encode()
    headers = {"Content-Type": content_type}
    response = await person.http.post("/api/threads", content=body, headers=headers)
    assert (response.status_code, response.json()["title"]) == (201, "Zugvögel")


MALFORMED: list[bytes] = [
    b"{", b"}", b"{'title': 'x'}", b'{"title": "x",}', b'{"title"}', b"title=x", b'{"title": \x00}',
    b'"unclosed', b'{"title": "bad \\x escape"}', b'{"title": "tab\tinside"}', b'{"title": 01}',
    b"\xff\xfe{\x00}\x00", b'{"title": "\xff"}', b'{"title": "\xed\xa0\x80"}', b"{} {}", b"nul",
    b"[" * 100_000, b'{"a":' * 50_000,
]  # fmt: skip


@pytest.mark.in_loop
@pytest.mark.parametrize("path", POSTS)
async def test_a_body_that_is_not_json_is_a_400(person: Person, path: str) -> None:
    for body in MALFORMED:
        headers = {"Content-Type": "application/json"}
        response = await person.http.post(path, content=body, headers=headers)
        assert (response.status_code, slug(response)) == (400, "malformed-request"), body[:40]


NOT_OBJECTS: list[bytes] = [b"null", b"[]", b"7", b'"text"', b"true", b"[{}]", b"[[[[[]]]]]"]


@pytest.mark.in_loop
@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", [*NOT_OBJECTS, b""])
async def test_a_body_that_is_no_object_is_refused(person: Person, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = await person.http.post(path, content=body, headers=headers)
    assert pointers(response) == [""]


ODD: list[tuple[bytes, Callable[[str], bool]]] = [
    (b'{"title": "One", "title": "Two"}', lambda title: title == "Two"),
    (b'  {"title": "\\u00e9\\ud83d\\ude80!"}  ', lambda title: title == "é🚀!"),
]


@pytest.mark.in_loop
@pytest.mark.parametrize(("body", "wanted"), ODD, ids=["twice", "escapes"])
async def test_odd_json_means_what_json_means(
    person: Person, body: bytes, wanted: Callable[[str], bool]
) -> None:
    headers = {"Content-Type": "application/json"}
    response = await person.http.post("/api/threads", content=body, headers=headers)
    assert response.status_code == 201
    assert wanted(response.json()["title"])


@pytest.mark.in_loop
@pytest.mark.parametrize(
    "value",
    [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0", b"9" * 5000, b"0.1e-400", b"[[[[{}]]]]"],
)
async def test_no_number_however_huge_breaks_an_operation(person: Person, value: bytes) -> None:
    for path, body in [
        ("/api/posts", b'{"text": "x", "thread": %s}'),
        ("/api/threads", b'{"title": %s}'),
        ("/api/users", b'{"username": %s, "password": 7, "bio": %s}'),
    ]:
        filled = body.replace(b"%s", value)
        headers: Any = {"Content-Type": "application/json"}
        response = await person.http.post(path, content=filled, headers=headers)
        assert response.status_code in {400, 422}, response.text


async def test_a_get_with_a_body_is_answered_as_without(visitor: httpx.AsyncClient) -> None:
    response = await visitor.request("GET", "/api/users?limit=1", content=b"not JSON")
    assert response.status_code == 200
