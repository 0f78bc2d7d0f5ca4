"""Bodies that cost the server more than their size suggests, for every operation that takes a
body."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LARGE = {"/api/posts", "/api/posts/preview"}
"""Operations whose bodies may be large."""


def shapes(fields: list[str], size: int) -> Iterator[bytes]:
    """Bodies of about this many bytes that cost the server more than their size suggests."""
    yield from shapes_without_fields(size)
    yield from shapes_of_fields(fields, size)


def shapes_without_fields(size: int) -> Iterator[bytes]:
    """Those that no operation reads beyond their structure."""
    yield json.dumps({f"{number}": 0 for number in range(size // 10)}).encode()
    yield json.dumps({"x" * (size // 2): 0, "y" * (size // 2): 0}).encode()
    yield json.dumps({f"/{number}~{chr(0)}": {} for number in range(size // 20)}).encode()
    yield b"[" * (size // 2) + b"]" * (size // 2)
    yield b"[" + b"[]," * (size // 3) + b"[]]"
    yield b"[" + b"{}," * (size // 3) + b"{}]"
    yield b"9" * size
    yield b'"' + b"\\u0000" * (size // 6) + b'"'


def shapes_of_fields(fields: list[str], size: int) -> Iterator[bytes]:
    """Those with a value of one of these fields."""
    for field in fields:
        start = json.dumps({field: ""}).encode()[:-2]
        yield start + b"x" * size + b'"}'
        yield start + b"\\u0001" * (size // 6) + b'"}'
        yield start + b"\\ud83d\\ude00" * (size // 12) + b'"}'
        yield start[:-1] + b"[" + b"0," * (size // 2) + b"0]}"
        yield start[:-1] + b"9" * size + b"}"
    if "text" not in fields:
        return
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
    """The operations of an API document. Removals without a body are left out: they would remove
    what the others change."""
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
