"""Packages stay small enough to read."""

from collections import Counter

from tests.cloudformation import ROOT
from tests.repository import files

MOST = 16


def test_no_folder_has_more_than_16_python_files() -> None:
    folders = Counter(
        path.parent for path in files() if path.suffix == ".py" and path.parts[0] != "tests"
    )
    assert {str(folder): count for folder, count in folders.items() if count > MOST} == {}
    assert folders[(ROOT / "topology").relative_to(ROOT)] >= 4
