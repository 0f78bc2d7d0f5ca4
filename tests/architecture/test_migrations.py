"""The migrations of a context form one line."""

import re

import pytest

from tests.repository import ROOT
from topology.contexts import CONTEXT_NAMES


@pytest.mark.parametrize("context", CONTEXT_NAMES)
def test_each_migration_follows_the_one_before_it(context: str) -> None:
    files = sorted((ROOT / "services" / context / "migrations").glob("[0-9]*.py"))
    before = None
    for number, path in enumerate(files, start=1):
        text = path.read_text(encoding="utf-8")
        revision = f"{number:04}"
        assert path.name.startswith(f"{revision}_"), "two migrations of one number"
        assert re.findall(r'^revision = "(.*)"$', text, re.MULTILINE) == [revision]
        down = f'"{before}"' if before else "None"
        assert re.findall(r"^down_revision = (.*)$", text, re.MULTILINE) == [down]
        before = revision
