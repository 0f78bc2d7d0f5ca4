"""Modules do not import each other in cycles, and no folder has too many modules."""

import sys
from collections import Counter
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_FILES = 16


@cache
def folders() -> list[str]:
    """The folders with Python code."""
    return sorted(
        folder.name
        for folder in ROOT.iterdir()
        if folder.is_dir()
        and not folder.name.startswith((".", "build"))
        and next(folder.rglob("*.py"), None) is not None
    )


def imports(*packages: str) -> dict[str, set[str]]:
    """The modules that each module imports: at its top, in a function, or for type checkers."""
    graph = grimp.build_graph(*packages, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def cycle(imported: Mapping[str, set[str]]) -> list[str]:
    """The modules of one cycle, in order; empty if there is none."""
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_there_are_no_import_cycles() -> None:
    imported = imports(*folders())
    assert {"gateway.proxy.exchange", "services.posts.main", "tests.eventually"} <= imported.keys()
    assert cycle(imported) == []


@pytest.mark.parametrize(
    "back",
    [
        "import loops.first\n",
        "def later() -> None:\n    from loops import first\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from loops.first import x\n",
    ],
    ids=["at the top", "in a function", "for type checkers"],
)
def test_cycle_check_finds_every_kind_of_cycle(
    back: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "loops"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "first.py").write_text("import loops.second\n")
    (package / "second.py").write_text(back)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert set(cycle(imports("loops"))) == {"loops.first", "loops.second"}


def test_folders_have_few_modules() -> None:
    files = Counter(
        path.parent.relative_to(ROOT)
        for folder in folders()
        if folder != "tests"
        for path in (ROOT / folder).rglob("*.py")
    )
    assert Path("gateway/http1") in files
    assert {folder: count for folder, count in files.items() if count > MOST_FILES} == {}
