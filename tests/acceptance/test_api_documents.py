"""The API documents are complete, and the same in both deployments."""

from typing import Any

import httpx
import pytest

from tests.conventions import DOCUMENTS
from tests.deployments import Board
from tests.people import visiting


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_both_deployments_serve_the_same_bytes(
    monolith: Board, services: Board, path: str
) -> None:
    served = []
    for board in (monolith, services):
        async with visiting(board) as http:
            response = await http.get(path)
            assert response.status_code == 200
            assert response.headers["content-type"] == "application/json; charset=utf-8"
            served.append((response.content, response.headers["etag"]))
    assert served[0] == served[1]


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_operations_of_a_kind_document_the_same_responses(
    visitor: httpx.AsyncClient, path: str
) -> None:
    document = (await visitor.get(path)).json()
    found = operations(document)
    assert found
    for template, method, operation in found:
        statuses = set(operation["responses"])
        where = f"{method} {template}: {sorted(statuses)}"
        assert "503" in statuses, where
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= statuses, where
        if method in {"post", "put", "patch", "delete"}:
            assert "403" in statuses, where
        if "{" in template:
            assert "404" in statuses, where


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_a_failure_is_documented_as_a_problem(visitor: httpx.AsyncClient, path: str) -> None:
    document = (await visitor.get(path)).json()
    assert "Problem" in document["components"]["schemas"]
    for template, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
                assert response["content"] == {"application/problem+json": schema}, (
                    f"{method} {template} {status}"
                )


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_public_api_documents_have_no_private_paths(
    visitor: httpx.AsyncClient, path: str
) -> None:
    paths = (await visitor.get(path)).json()["paths"]
    assert all(template.startswith("/api/") for template in paths)
