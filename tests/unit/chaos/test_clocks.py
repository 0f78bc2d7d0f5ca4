"""The files from which services read by how much their clocks are wrong."""

from pathlib import Path

import pytest

from chaos.clocks import Clocks, find_library
from laptop.programs import CLOCKS
from strangle.errors import CannotPlayError
from topology.deployments import SERVICES


def test_each_service_has_a_file_with_its_offset(tmp_path: Path) -> None:
    clocks = Clocks(tmp_path, Path("/library"))
    assert clocks.variables[CLOCKS] == str(tmp_path)
    clocks.set((SERVICES[0],), -3600)
    offsets = {name: (tmp_path / name).read_text().strip() for name in SERVICES}
    assert offsets == dict.fromkeys(SERVICES, "+0") | {SERVICES[0]: "-3600"}


def test_library_is_found_in_a_folder_of_an_architecture(tmp_path: Path) -> None:
    library = tmp_path / "x86_64-linux-gnu" / "faketime" / "libfaketime.so.1"
    library.parent.mkdir(parents=True)
    library.touch()
    assert find_library((str(tmp_path),)) == library


def test_missing_library_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotPlayError, match="apt install libfaketime"):
        find_library((str(tmp_path),))
