"""The rehearsal leaves out only acceptance tests that exist: a renamed one would run again."""

from pathlib import Path

import pytest

from tests.rehearsal.test_the_way_there_and_back import LEFT_OUT

ACCEPTANCE = Path(__file__).resolve().parents[2] / "acceptance"


@pytest.mark.parametrize("name", LEFT_OUT)
def test_every_test_left_out_of_the_rehearsal_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert not test or f"def {test}(" in (ACCEPTANCE / file).read_text()
    assert (ACCEPTANCE / file).is_file()
