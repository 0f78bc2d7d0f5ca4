"""The page's JSDoc types of API resources match the API documents."""

import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.conventions import DOCUMENTS

TYPES: Final = (Path(__file__).parents[2] / "web" / "types.d.ts").read_text("utf-8")
NESTED: Final = {"FieldError": ("Problem", "errors")}
"""Types without a named schema in the documents: the schema and the field whose items they are."""

Fields = dict[str, tuple[bool, bool]]
"""By the name of a field: whether it is optional, and whether it may be null."""


def _types() -> dict[str, Fields]:
    """The interfaces of the namespace `Api`, with the fields that they inherit."""
    namespace = re.search(r"^declare namespace Api \{\n(.*?)^\}", TYPES, re.MULTILINE | re.DOTALL)
    assert namespace is not None
    types: dict[str, Fields] = {}
    for name, parent, body in re.findall(
        r"^  interface (\w+)(?: extends (\w+))? \{\n(.*?)^  \}",
        namespace[1],
        re.MULTILINE | re.DOTALL,
    ):
        own = re.findall(r"^    (\w+)(\??): ([^;]+);", body, re.MULTILINE)
        fields = {field: (bool(mark), "null" in of.split(" | ")) for field, mark, of in own}
        types[name] = {**types.get(parent, {}), **fields}
    return types


def _fields(schema: dict[str, Any]) -> Fields:
    return {
        field: (
            field not in schema["required"],
            {"type": "null"} in definition.get("anyOf", ()),
        )
        for field, definition in schema["properties"].items()
    }


@pytest.mark.in_loop
async def test_types_of_the_page_have_the_fields_of_the_api_documents(
    visitor: httpx.AsyncClient,
) -> None:
    schemas: dict[str, Any] = {}
    for path in DOCUMENTS:
        schemas |= (await visitor.get(path)).json()["components"]["schemas"]
    for name, (schema, field) in NESTED.items():
        schemas[name] = schemas[schema]["properties"][field]["items"]
    types = _types()
    assert {"User", "Me", "Thread", "Post", "Problem"} <= set(types)
    for name, fields in types.items():
        assert fields == _fields(schemas[name]), name
