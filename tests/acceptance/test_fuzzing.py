"""Fuzzes the API: no request, valid or invalid, gets a 5xx or an undocumented response."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.conventions import DOCUMENTS
from tests.deployments import Board
from tests.effort import Effort
from tests.logged_secrets import logged_secrets
from tests.people import joining

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
# Operations that would end the client's session, and the stream, whose response never ends.
LEFT_OUT = r"(/api/sessions/current|/api/users/me|/api/users/me/password|/stream)$"


@pytest.mark.twice  # in two seconds it finds little that test_generated_bodies.py does not find
@pytest.mark.one_deployment
@pytest.mark.timeout(600)
@pytest.mark.parametrize("document", DOCUMENTS)
async def test_every_response_is_documented(
    board: Board, effort: Effort, document: str, tmp_path: Path
) -> None:
    context = document.split("/")[2]
    origin = board.origins.get(context, board.origins.get("monolith"))
    async with joining(board) as person:
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{origin}{document}"),
            *("--header", f"Authorization: Bearer {person.token}"),
            *("--checks", CHECKS, "--exclude-path-regex", LEFT_OUT, "--warnings", "off"),
            *("--max-time", str(effort.fuzzing), "--request-timeout", "10", "--no-shrink"),
            *("--phases", effort.phases, "--generation-database", "none"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-6000:]
    assert await logged_secrets(board) == set()
