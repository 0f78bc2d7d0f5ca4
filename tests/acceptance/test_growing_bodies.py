"""Bodies that grow, for every operation of the API documents: an answer, and the memory that it
takes, stay in proportion to what was sent."""

import json
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.conventions import DOCUMENTS
from tests.effort import Effort
from tests.people import Person

pytestmark = pytest.mark.in_loop

MEBIBYTE = 1024 * 1024
_LARGE = {"/api/posts", "/api/posts/preview"}
"""Operations whose bodies may be large."""


def answer_bound(sent: int) -> int:
    """Bytes that the answer to a request of so many bytes may have."""
    return 12 * sent + 128 * 1024


def shapes(fields: list[str], size: int) -> Iterator[bytes]:
    """Bodies of about so many bytes, made to be worth more than they weigh."""
    yield json.dumps({f"{number}": 0 for number in range(size // 10)}).encode()
    yield json.dumps({"x" * (size // 2): 0, "y" * (size // 2): 0}).encode()
    yield json.dumps({f"/{number}~{chr(0)}": {} for number in range(size // 20)}).encode()
    yield b"[" * (size // 2) + b"]" * (size // 2)
    yield b"[" + b"[]," * (size // 3) + b"[]]"
    yield b"[" + b"{}," * (size // 3) + b"{}]"
    yield b"9" * size
    yield b'"' + b"\\u0000" * (size // 6) + b'"'
    for field in fields:
        start = json.dumps({field: ""}).encode()[:-2]
        yield start + b"x" * size + b'"}'
        yield start + b"\\u0001" * (size // 6) + b'"}'
        yield start + b"\\ud83d\\ude00" * (size // 12) + b'"}'
        yield start[:-1] + b"[" + b"0," * (size // 2) + b"0]}"
        yield start[:-1] + b"9" * size + b"}"
    for text in ("[a]", "<http://", "|\n", "> ", "![", "*_", "a.co "):
        source = f"[a]: /{'b' * (size // 4)}\n\n|{'a|' * 300}\n|{'-|' * 300}\n" + text * (size // 8)
        yield json.dumps({"thread": 1, "text": source[:32_000]}).encode()


@dataclass(frozen=True)
class Write:
    """An operation that changes something, and the names of the fields that its body may have."""

    method: str
    path: str
    fields: list[str]


def writes(document: Mapping[str, Any]) -> Iterator[Write]:
    """Those of an API document. Removals without a body are left out: what they would remove is
    what the others are tried on."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody")
            if method in {"post", "put", "patch"} or body is not None:
                yield Write(method.upper(), path, _fields(document, body))


def _fields(document: Mapping[str, Any], body: Mapping[str, Any] | None) -> list[str]:
    if body is None:
        return []
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return list(document["components"]["schemas"][name]["properties"])


async def send(person: Person, method: str, path: str, body: bytes) -> httpx.Response:
    """One request with that body, which a browser's page could not have sent."""
    headers = {"Content-Type": "application/json", "If-Match": "*"}
    return await person.http.request(method, path, content=body, headers=headers)


@pytest.mark.prove
@pytest.mark.timeout(3_600)
async def test_answers_and_memory_stay_in_proportion_to_bodies(
    newcomer: Person, effort: Effort
) -> None:
    thread = (await newcomer.start_thread())["id"]
    post = (await newcomer.write(thread))["id"]
    found = [
        write for path in DOCUMENTS for write in writes((await newcomer.http.get(path)).json())
    ]
    assert len(found) > 15
    tracemalloc.start()
    try:
        for write in found:
            path = write.path.format(id=post if "/posts" in write.path else thread)
            sizes = [*effort.body_sizes, 500_000] if write.path in _LARGE else effort.body_sizes
            for size in sizes:
                for body in shapes(write.fields, size):
                    await check(newcomer, write.method, path, body)
    finally:
        tracemalloc.stop()


async def check(person: Person, method: str, path: str, body: bytes) -> None:
    """Send one, and fail if it costs too much."""
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    response = await send(person, method, path, body)
    _, peak = tracemalloc.get_traced_memory()
    what = f"{method} {path} {body[:40]!r} of {len(body)}: {response.status_code}"
    assert response.status_code < 500, what
    assert len(response.content) <= answer_bound(len(body)), what
    assert peak - before <= 64 * MEBIBYTE, f"{what}, {peak - before} bytes of memory"
