"""Every operation answers any JSON body with a status that it documents."""

import json
from functools import cache
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.deployments import Board
from tests.logged_secrets import logged_secrets
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.one_deployment

FIELDS: dict[str, list[str]] = {
    "/api/users": ["username", "password", "name", "bio", "email"],
    "/api/sessions": ["username", "password"],
    "/api/threads": ["title"],
    "/api/posts": ["thread", "text", "replyTo"],
}

scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=40)
    | st.sampled_from([PASSWORD, "ines", "Night trains", 1, 2**63 - 1, "\0", "\ud800", "a@b.c"])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4
)


def bodies(path: str) -> st.SearchStrategy[Any]:
    fields = dict.fromkeys(FIELDS[path], values)
    return st.fixed_dictionaries({}, optional=fields) | values


@cache
def generated(path: str) -> list[Any]:
    """Generate bodies, the same in each run. Hypothesis cannot call asynchronous functions, so the
    requests are sent afterwards."""
    made: list[Any] = []

    @settings(
        max_examples=60, database=None, derandomize=True, deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
    @given(bodies(path))
    def collect(body: Any) -> None:
        made.append(body)

    collect()
    return made


@pytest.mark.parametrize("path", FIELDS)
async def test_any_json_body_returns_a_documented_status(
    board: Board, person: Person, path: str
) -> None:
    operation = board.conventions.operation("POST", path)
    assert operation is not None
    for body in generated(path):
        response: httpx.Response = await person.http.post(
            path, content=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        documented = operation.responses.find_by_status_code(response.status_code)
        assert documented is not None, (body, response.text)
        assert response.status_code < 500, (body, response.text)
    assert await logged_secrets(board) == set()
