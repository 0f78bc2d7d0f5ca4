"""docs/api.md names every field of every body that the API documents have, and no other."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import services.cases.api
import services.posts.api
import services.threads.api
import services.users.api
from kernel.http import documents
from kernel.http.auth import SessionCookie
from tests.repository import ROOT

PAGE: Final = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
NOTHING: Final = cast(Any, None)  # no operation is called
COOKIE: Final = SessionCookie("http://board.example", cast(Any, object))


def api_documents() -> list[Mapping[str, Any]]:
    """The API document of each context."""
    return [
        documents.document(
            "users",
            "",
            services.users.api.router(NOTHING, NOTHING, NOTHING, NOTHING, COOKIE, (), NOTHING),
        ),
        documents.document(
            "threads",
            "",
            services.threads.api.router(NOTHING, NOTHING, NOTHING, NOTHING, COOKIE, NOTHING),
        ),
        documents.document(
            "posts",
            "",
            services.posts.api.router(
                NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, COOKIE, NOTHING
            ),
        ),
        documents.document(
            "cases", "", services.cases.api.router(NOTHING, NOTHING, NOTHING, COOKIE)
        ),
    ]


def documented(schema: Mapping[str, Any]) -> list[str]:
    """The fields of a schema in their order; optional ones have a `?`."""
    required = schema.get("required", ())
    return [name if name in required else f"{name}?" for name in schema.get("properties", ())]


def fields_of_page() -> dict[str, list[str]]:
    """The fields of each schema as the page lists them."""
    section = PAGE.partition("\n## Fields\n")[2].partition("\n## ")[0]
    found: dict[str, list[str]] = {}
    for name, listed in re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE):
        inherited = re.match(r"those of `(\w+)`, and ", listed)
        before = found[inherited[1]] if inherited else []
        own = listed[inherited.end() :] if inherited else listed
        found[name] = before + re.findall(r"`([^`]+)`", own)
    return found


def test_the_page_lists_the_fields_of_every_schema() -> None:
    schemas = {
        name: documented(schema)
        for document in api_documents()
        for name, schema in document["components"]["schemas"].items()
    }
    assert fields_of_page() == schemas
