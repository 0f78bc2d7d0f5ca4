"""One stage for the whole rehearsal, whose steps build upon each other in the order of the file."""

from collections.abc import Iterator

import pytest

from tests.rehearsal.stage import Stage, stage


@pytest.fixture(scope="session")
def aws() -> Iterator[Stage]:
    """The stage of the whole rehearsal."""
    with stage() as found:
        yield found
