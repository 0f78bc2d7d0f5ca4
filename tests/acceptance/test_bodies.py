"""Bodies that do not fit: too large, of another type, not JSON."""

import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.deployments import Board
from tests.people import Person
from tests.problems import pointers, slug
from tests.raw import send

LARGEST = {
    "/api/users": 16 * 1024,
    "/api/sessions": 4 * 1024,
    "/api/threads": 16 * 1024,
    "/api/posts": 512 * 1024,
    "/api/posts/preview": 512 * 1024,
}
"""The largest body of each operation, in bytes."""

POSTS = ["/api/users", "/api/sessions", "/api/threads", "/api/posts"]
MEBIBYTE = 1024 * 1024


def text_body(length: int) -> bytes:
    """JSON of this size in bytes that is invalid for every operation."""
    return json.dumps({"x": "y" * (length - len('{"x": ""}'))}).encode()


@pytest.mark.parametrize("path", LARGEST)
async def test_a_body_above_the_operations_bound_is_refused(person: Person, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    for length in (LARGEST[path] + 1, MEBIBYTE + 1, 3 * MEBIBYTE):
        response = await person.http.post(path, content=text_body(length), headers=headers)
        assert (response.status_code, slug(response)) == (413, "too-large")


@pytest.mark.parametrize("path", LARGEST)
async def test_a_body_up_to_the_operations_bound_is_read(person: Person, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = await person.http.post(path, content=text_body(LARGEST[path]), headers=headers)
    assert "/x" in pointers(response)


async def test_longest_post_is_accepted_with_every_character_escaped(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    text = "\U0001f600" * 32_000
    body = json.dumps({"thread": thread, "text": text}, ensure_ascii=True).encode()
    assert len(body) > 12 * 32_000
    headers = {"Content-Type": "application/json"}
    response = await person.http.post("/api/posts", content=body, headers=headers)
    assert response.status_code == 201


@pytest.mark.one_deployment
@pytest.mark.parametrize("path", ["/api/threads", "/api/posts", "/api/posts/preview"])
async def test_body_is_not_parsed_without_a_session(person: Person, path: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer"}
    response = await person.http.post(path, content=b"{", headers=headers)
    assert (response.status_code, slug(response)) == (401, "unauthenticated")


@pytest.mark.one_deployment
@pytest.mark.parametrize("path", ["/api/posts", "/api/posts/preview"])
async def test_large_body_is_not_read_with_a_token_that_nobody_has(board: Board, path: str) -> None:
    origin = board.origins.get("posts", board.origins.get("monolith", board.url))
    head = f"POST {path} HTTP/1.1\nContent-Type: application/json\nAuthorization: Bearer made-up"
    declared = await send(origin, f"{head}\nContent-Length: 524288", within=5)
    assert declared.status == 401
    chunk = "4001\r\n" + "x" * 0x4001 + "\r\n"
    chunked = await send(
        origin, f"{head}\nTransfer-Encoding: chunked", body=chunk.encode(), within=5
    )
    assert chunked.status == 401


@pytest.mark.one_deployment
@pytest.mark.parametrize("path", LARGEST)
async def test_at_most_twenty_errors_are_listed_with_the_total(person: Person, path: str) -> None:
    count = min(LARGEST[path] // 12, 30_000)
    body = json.dumps({f"{n:06}": 1 for n in range(count)}, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json"}
    response = await person.http.post(path, content=body, headers=headers)
    assert pointers(response) == [f"/{n:06}" for n in range(20)]
    assert response.json()["detail"].endswith(f"; and {count - 20:,} more")
    assert len(response.content) < 8 * 1024


@pytest.mark.one_deployment
async def test_long_names_are_cut_in_errors(person: Person) -> None:
    response = await person.http.post("/api/threads", json={"title": "Night", "x" * 5_000: 1})
    assert pointers(response) == [f"/{'x' * 60}…"]


@pytest.mark.one_deployment
async def test_length_of_a_text_is_counted_in_characters(visitor: httpx.AsyncClient) -> None:
    who = {"username": "ab", "password": "seven quiet herons", "bio": "x" * 501, "name": "x" * 61}
    errors = (await visitor.post("/api/users", json=who)).json()["errors"]
    assert {error["pointer"]: error["detail"] for error in errors} == {
        "/bio": "Write at most 500 characters.",
        "/name": "Write at most 60 characters.",
    }


@pytest.mark.one_deployment
@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, identity", "x"])
async def test_a_compressed_body_is_refused(person: Person, path: str, encoding: str) -> None:
    body = gzip.compress(b'{"title": "Night"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    response = await person.http.post(path, content=body, headers=headers)
    assert (response.status_code, slug(response)) == (415, "unsupported-media-type")


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_of_undeclared_length_is_bounded_too(person: Person, path: str) -> None:
    async def chunks(length: int) -> AsyncIterator[bytes]:
        body = text_body(length)
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    headers = {"Content-Type": "application/json"}
    for length in (LARGEST[path] + 1, MEBIBYTE + 1):
        response = await person.http.post(path, content=chunks(length), headers=headers)
        assert (response.status_code, slug(response)) == (413, "too-large")
    response = await person.http.post(path, content=chunks(LARGEST[path]), headers=headers)
    assert "/x" in pointers(response)


@pytest.mark.one_deployment
async def test_a_body_declared_too_large_is_refused_before_it_is_sent(board: Board) -> None:
    for origin in board.origins.values():
        context = "users" if origin == board.origins.get("monolith") else None
        path = f"/api/{context or _name(board, origin)}"
        head = f"POST {path} HTTP/1.1\nContent-Type: application/json\nContent-Length: 1048577"
        answer = await send(origin, f"{head}\nAuthorization: Bearer x", within=5)
        assert answer.status == 413


def _name(board: Board, origin: str) -> str:
    return next(name for name, url in board.origins.items() if url == origin)


@pytest.mark.one_deployment
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


@pytest.mark.one_deployment
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json", "application/json; charset=utf-8", "Application/JSON; Charset=UTF-8",
        'application/json;charset="utf-8"',
    ],
)  # fmt: skip
async def test_json_in_utf_8_is_accepted(person: Person, content_type: str) -> None:
    body = json.dumps({"title": "Zugvögel"}, ensure_ascii=False).encode()
    headers = {"Content-Type": content_type}
    response = await person.http.post("/api/threads", content=body, headers=headers)
    assert (response.status_code, response.json()["title"]) == (201, "Zugvögel")


MALFORMED: list[bytes] = [
    b"{", b"}", b"{'title': 'x'}", b'{"title": "x",}', b'{"title"}', b"title=x", b'{"title": \x00}',
    b'"unclosed', b'{"title": "bad \\x escape"}', b'{"title": "tab\tinside"}', b'{"title": 01}',
    b"\xff\xfe{\x00}\x00", b'{"title": "\xff"}', b'{"title": "\xed\xa0\x80"}', b"{} {}", b"nul",
    b"[" * 4_000, b'{"a":' * 800,
]  # fmt: skip


@pytest.mark.one_deployment
@pytest.mark.parametrize("path", POSTS)
async def test_a_body_that_is_not_json_is_a_400(person: Person, path: str) -> None:
    for body in MALFORMED:
        headers = {"Content-Type": "application/json"}
        response = await person.http.post(path, content=body, headers=headers)
        assert (response.status_code, slug(response)) == (400, "malformed-request"), body[:40]


NOT_OBJECTS: list[bytes] = [b"null", b"[]", b"7", b'"text"', b"true", b"[{}]", b"[[[[[]]]]]"]


@pytest.mark.one_deployment
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


@pytest.mark.one_deployment
@pytest.mark.parametrize(("body", "wanted"), ODD, ids=["twice", "escapes"])
async def test_unusual_json_is_parsed_as_specified(
    person: Person, body: bytes, wanted: Callable[[str], bool]
) -> None:
    headers = {"Content-Type": "application/json"}
    response = await person.http.post("/api/threads", content=body, headers=headers)
    assert response.status_code == 201
    assert wanted(response.json()["title"])


@pytest.mark.one_deployment
@pytest.mark.parametrize(
    "value",
    [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0", b"9" * 5000, b"0.1e-400", b"[[[[{}]]]]"],
)
async def test_no_number_causes_a_server_error(person: Person, value: bytes) -> None:
    for path, body in [
        ("/api/posts", b'{"text": "x", "thread": %s}'),
        ("/api/threads", b'{"title": %s}'),
        ("/api/users", b'{"username": %s, "password": 7, "bio": %s}'),
    ]:
        filled = body.replace(b"%s", value)
        headers: Any = {"Content-Type": "application/json"}
        response = await person.http.post(path, content=filled, headers=headers)
        assert response.status_code in {400, 422}, response.text


async def test_get_ignores_a_body(visitor: httpx.AsyncClient) -> None:
    response = await visitor.request("GET", "/api/users?limit=1", content=b"not JSON")
    assert response.status_code == 200


@pytest.mark.one_deployment
@pytest.mark.parametrize("part", ["[],", "{},", '["["],', "0,", "null,", '"",'])
async def test_a_body_of_very_many_lists_objects_or_values_is_not_parsed(
    person: Person, part: str
) -> None:
    many = part * (400_000 // len(part))
    body = f'{{"text": [{many}[]]}}'.encode()
    headers = {"Content-Type": "application/json"}
    response = await person.http.post("/api/posts/preview", content=body, headers=headers)
    assert (response.status_code, slug(response)) == (400, "malformed-request")


@pytest.mark.one_deployment
async def test_brackets_in_strings_do_not_count(person: Person) -> None:
    response = await person.http.post("/api/posts/preview", json={"text": '{["\\' * 8_000})
    assert response.status_code == 200
