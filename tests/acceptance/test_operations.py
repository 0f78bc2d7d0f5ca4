"""The API has exactly the operations that docs/api.md lists, and each of them is tested."""

import json
import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.conventions import DOCUMENTS
from tests.deployments import Board
from tests.effort import LEFT_OUT
from tests.people import Person, joining

API: Final = Path(__file__).parents[2] / "docs" / "api.md"
OPERATIONS: Final = set(
    re.findall(r"^\| `([A-Z]+ /api/\S+)`", API.read_text("utf-8"), re.MULTILINE)
)

Documents = dict[str, Any]


@pytest.fixture
async def documented(board: Board) -> Documents:
    """Every operation of the API documents."""
    async with httpx.AsyncClient(base_url=board.url, trust_env=False) as http:
        documents = [(await http.get(path)).json() for path in DOCUMENTS]
    return {
        f"{method.upper()} {template}": {**operation, "document": document}
        for document in documents
        for template, operations in document["paths"].items()
        for method, operation in operations.items()
    }


@pytest.mark.in_loop
async def test_documents_have_exactly_these_operations(documented: Documents) -> None:
    assert set(documented) == OPERATIONS


@pytest.mark.in_loop
async def test_operations_document_whether_they_need_a_session(
    board: Board, documented: Documents
) -> None:
    async with httpx.AsyncClient(base_url=board.url, trust_env=False) as nobody:
        for name, operation in documented.items():
            method, template = name.split()
            path = re.sub(r"\{[^}]*\}", "1", template)
            # Only the head is read, because a stream has no end.
            async with nobody.stream(method, path, json={}) as answer:
                assert (answer.status_code == 401) is bool(operation.get("security")), name


@pytest.mark.in_loop
async def test_every_operation_documents_its_limits(documented: Documents) -> None:
    for name, operation in documented.items():
        assert "429" in operation["responses"], name


@pytest.mark.in_loop
async def test_conditional_reads_are_documented(documented: Documents) -> None:
    says = {name for name, operation in documented.items() if "304" in operation["responses"]}
    reads = {name for name in OPERATIONS if name.startswith("GET ")}
    assert says == reads - {"GET /api/posts/in-thread/{thread}/stream"}


@pytest.mark.in_loop
async def test_every_example_body_is_accepted(
    board: Board, documented: Documents, person: Person
) -> None:
    thread = (await person.start_thread())["id"]
    post = (await person.write(thread))["id"]
    tried = []
    for name in ("POST /api/users", "POST /api/threads", "POST /api/posts",
                 "PATCH /api/threads/{id}", "PATCH /api/posts/{id}"):  # fmt: skip
        method, template = name.split()
        body = _example(documented[name]) | {
            "POST /api/posts": {"thread": thread, "replyTo": post},
            "PATCH /api/threads/{id}": {"version": 1},
        }.get(name, {})
        path = template.replace("{id}", str(thread if "threads" in template else post))
        answer = await person.http.request(method, path, json=body, headers={"If-Match": "*"})
        # The username in the example is taken after the first run.
        assert answer.is_success or (name, answer.status_code) == ("POST /api/users", 409), name
        tried.append(name)
    assert len(tried) == 5
    async with joining(board) as newcomer:
        assert newcomer.id > person.id


def _example(operation: Documents) -> dict[str, Any]:
    """The examples in the schema of an operation's body, by field."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    fields = operation["document"]["components"]["schemas"][name]["properties"]
    return {
        field: definition["examples"][0]
        for field, definition in fields.items()
        if "examples" in definition
    }


async def test_both_deployments_serve_the_same_bytes_as_documents(
    monolith: Board, services: Board
) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for path in DOCUMENTS:
            one, other = [await http.get(board.url + path) for board in (monolith, services)]
            assert one.content == other.content
            assert json.loads(one.content)["openapi"].startswith("3.")


@pytest.mark.last
@pytest.mark.in_loop
def test_every_operation_succeeded_in_some_test(
    request: pytest.FixtureRequest, board: Board
) -> None:
    folder = Path(__file__).parent
    left_out = request.config.stash[LEFT_OUT]
    ran = left_out | {item.path for item in request.session.items}
    if not set(folder.glob("test_*.py")) <= ran or request.config.option.keyword:
        pytest.skip("Looks back on all acceptance tests, and not all of them are run.")
    assert OPERATIONS - board.conventions.carried_out == set()
