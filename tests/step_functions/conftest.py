"""One emulator for the tests of a file."""

from collections.abc import Iterator

import pytest

from tests.step_functions.emulator import Emulator, emulator


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A running emulator."""
    with emulator(tmp_path_factory.mktemp("emulator")) as found:
        yield found
