"""One stage for all of the rehearsal: its steps build upon each other, in the order of the file."""

from collections.abc import Iterator

import pytest

from tests.rehearsal.stage import Stage, stage


@pytest.fixture(scope="session")
def aws() -> Iterator[Stage]:
    """The stage that everything is played on."""
    with stage() as found:
        yield found
