"""Every 422 has a sentence for people at each wrong field, which says what to do.

The values are made from the OpenAPI documents: for each constraint of each field and each query
parameter, one that breaks it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx
import pytest
from pydantic_core._pydantic_core import list_all_errors

from kernel.http.input.sentences import OTHER
from tests.conventions import DOCUMENTS
from tests.people import Person

pytestmark = pytest.mark.one_deployment

Schema = Mapping[str, Any]

DEFAULTS: Final = [
    re.compile(
        re.sub(r"\\\{\w+\\\}", ".*", re.escape(error["message_template_python"])), re.IGNORECASE
    )
    for error in list_all_errors()
    if error["message_template_python"] not in {"{error}", "{message}", "Value error, {error}"}
]
"""pydantic's own messages."""

_LONG: Final = 300
"""More characters than any pattern allows."""


def violations(schema: Schema, schemas: Schema) -> Iterator[object]:
    """A value that breaks each constraint of a field."""
    if "$ref" in schema:
        yield from violations(schemas[schema["$ref"].rpartition("/")[2]], schemas)
        return
    choices = schema.get("anyOf", [schema])
    if {"type": "null"} not in choices:
        yield None
    for one in choices:
        kind = one.get("type")
        if kind == "string":
            yield 7
            yield "\ud800"
            yield "a\0b"
            if "pattern" in one:
                yield "\n" + "@" * _LONG
            if "enum" in one:
                yield "no such choice"
            if one.get("format") == "date-time":
                yield from ("soon", "2026-02-31T00:00:00Z", "9999-12-31T23:59:59-23:00")
            if one.get("minLength", 0) > 0:
                yield from ("", "x" * (one["minLength"] - 1), " " * one["minLength"])
            if "maxLength" in one:
                yield "x" * (one["maxLength"] + 1)
        elif kind in {"integer", "number"}:
            yield from ("many", True, 1.5, [], 10**30)
            yield from (one[bound] + step for bound, step in (("minimum", -1), ("maximum", 1))
                        if bound in one)  # fmt: skip
        elif kind == "boolean":
            yield from (7, "perhaps")
        elif kind == "array":
            yield {}
            yield [{"x": 1}, 7]
            if "maxItems" in one:
                yield [7] * (one["maxItems"] + 1)
        elif "$ref" in one:
            yield from violations(one, schemas)
        elif kind == "object":
            yield 7


def bodies(operation: Schema, schemas: Schema) -> Iterator[tuple[str, object]]:
    """The name of a field, and a body in which it is wrong."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is None:
        return
    schema = body["schema"]
    for one in schema.get("anyOf", [schema]):
        fields = schemas[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for required in fields.get("required", ()):
            yield required, {}
        yield "unknown", {"unknown": 1}
        for name, field in fields.get("properties", {}).items():
            for value in violations(field, schemas):
                yield name, {name: value}
    yield "", []


def queries(operation: Schema) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The name of a query parameter, and a query in which it is wrong."""
    yield "unknown", {"unknown": "1"}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "query":
            continue
        name, schema = parameter["name"], parameter["schema"]
        if parameter.get("required"):
            yield name, {}
        for one in schema.get("anyOf", [schema]):
            item = one.get("items", one)
            if item.get("type") == "integer":
                yield from ((name, {name: value}) for value in ("many", "0", "-1", "9" * 30))
            if "enum" in one:
                yield name, {name: "no such choice"}
            if "maxItems" in one:
                yield name, {name: ["1"] * (one["maxItems"] + 1)}
            if one.get("type") == "string" and "maxLength" in one:
                yield name, {name: "x" * (one["maxLength"] + 1)}
                yield name, {name: "a\0b"}
            if one.get("minLength"):
                yield name, {name: ""}


def check(response: httpx.Response, what: str) -> int:
    """Fail unless each wrong field has a sentence. Returns how many there are; 0 if the value was
    accepted, because other rules than the documented ones decide."""
    if response.status_code != 422:
        assert response.status_code < 500, what
        return 0
    for error in response.json()["errors"]:
        detail = error["detail"]
        assert re.fullmatch(r"[A-Z\"'].*[.!?]", detail, re.DOTALL), f"{what}: {detail}"
        assert detail != OTHER, f"{what}: {error['pointer']} has no sentence"
        for default in DEFAULTS:
            assert not default.fullmatch(detail.rstrip(".")), f"{what}: {detail}"
    return len(response.json()["errors"])


async def test_every_constraint_has_a_sentence(person: Person) -> None:
    found: dict[str, int] = {}
    headers = {"If-Match": '"no"'}
    for path in DOCUMENTS:
        document = (await person.http.get(path)).json()
        schemas = document["components"]["schemas"]
        for template, operations in document["paths"].items():
            for method, operation in operations.items():
                name = f"{method.upper()} {template}"
                url = re.sub(r"\{[^}]*\}", str(2**62), template)
                if name.endswith("/stream"):
                    continue
                for field, body in bodies(operation, schemas):
                    text = json.dumps(body).encode()
                    response = await person.http.request(
                        method, url, content=text,
                        headers={**headers, "Content-Type": "application/json"},
                    )  # fmt: skip
                    what = f"{name} {field} {str(body)[:80]!a}"
                    found[f"{name} {field}"] = check(response, what) + found.get(
                        f"{name} {field}", 0
                    )
                if method != "get":
                    continue
                for field, query in queries(operation):
                    response = await person.http.request(method, url, params=query)
                    key = f"{name} ?{field}"
                    found[key] = check(response, f"{key} {str(query)[:80]}") + found.get(key, 0)
    assert len(found) > 100
    # What the documents cannot say: a personal path needs no body, a field takes any text.
    silent = {key for key, number in found.items() if number == 0}
    assert silent == set(), sorted(silent)


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("username", "a b", "Choose 2 to 20 letters from a to z, digits, hyphens and underscores."),
        ("email", "nobody", "Write an e-mail address with one @, like ines@example.org."),
        ("name", "", "Write something that can be seen."),
        ("bio", "x" * 501, "Write at most 500 characters."),
        ("password", "short", "Write at least 8 characters."),
        ("password", None, "Send a text."),
    ],
)
async def test_sentence_says_what_to_do(
    visitor: httpx.AsyncClient, field: str, value: object, detail: str
) -> None:
    good = {"username": "ines-sentence", "password": "seven quiet herons"}
    response = await visitor.post("/api/users", json={**good, field: value})
    assert {"pointer": f"/{field}", "detail": detail} in response.json()["errors"]
