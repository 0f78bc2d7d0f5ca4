"""Methods of a path, and entity tags."""

import pytest

from kernel.http.conditional.revalidation import entity_tag, matches
from kernel.http.paths import MethodTable

TABLE = MethodTable(
    [
        {"paths": {"/api/users": {"get": {}, "post": {}}, "/api/users/me": {"patch": {}}}},
        {"paths": {"/api/users/{id}": {"get": {}}, "/api/a.b/{x}/c": {"delete": {}}}},
    ]
)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/users", ["GET", "HEAD", "POST"]),
        ("/api/users/7", ["GET", "HEAD"]),
        ("/api/users/me", ["GET", "HEAD", "PATCH"]),
        ("/api/a.b/7/c", ["DELETE"]),
        ("/api/aXb/7/c", []),
        ("/api/users/7/8", []),
        ("/api/users/", []),
    ],
)
def test_a_path_has_the_methods_of_all_operations_on_it(path: str, methods: list[str]) -> None:
    assert TABLE.allowed(path) == methods


TAG = entity_tag(b"[]")


def test_a_tag_depends_on_the_bytes_alone() -> None:
    assert TAG == entity_tag(b"[]") != entity_tag(b"[ ]")
    assert TAG.startswith('"')
    assert TAG.endswith('"')


@pytest.mark.parametrize("field", [TAG, f"W/{TAG}", f'"x", {TAG}', f'W/"x" ,W/{TAG}', "*", " * "])
def test_if_none_match_names_a_tag(field: str) -> None:
    assert matches(field, TAG)


@pytest.mark.parametrize("field", ['"x"', "", f"{TAG[:-1]}", TAG.strip('"'), f"w/{TAG}"])
def test_if_none_match_does_not_name_it(field: str) -> None:
    assert not matches(field, TAG)
