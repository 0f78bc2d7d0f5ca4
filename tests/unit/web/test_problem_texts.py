"""The page explains each kind of problem under the title that the API gives it."""

import json
import re
from pathlib import Path

import pytest

from kernel.errors import FAILURES

TEXTS = (
    Path(__file__).resolve().parents[3] / "web" / "static" / "text" / "en-problems.js"
).read_text()


@pytest.mark.parametrize("slug", FAILURES)
def test_page_and_api_name_a_problem_alike(slug: str) -> None:
    found = re.search(rf'"problem:{slug}":\s*("(?:[^"\\]|\\.)*")', TEXTS)
    assert found, slug
    assert json.loads(found[1]) == FAILURES[slug].title
