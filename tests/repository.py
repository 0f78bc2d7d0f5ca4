"""The files of the repository, for tests about them."""

import os
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_NOT_OURS: Final = {"__pycache__", "build", "node_modules"}
_HIDDEN: Final = {".ci", ".checkov.yml", ".compose-lint.yml", ".dockerignore", ".env", ".gitignore"}
"""The only names that start with a dot and are part of the repository."""


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository, relative to its root, sorted. Does not use git, because a copy
    of the repository may have none."""
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [n for n in folders if n not in _NOT_OURS and _is_ours(n)]
        found += [(Path(folder) / name).relative_to(ROOT) for name in names if _is_ours(name)]
    return tuple(sorted(found))


@cache
def text(path: Path) -> str:
    """The text of a file of the repository; empty for a binary file."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def _is_ours(name: str) -> bool:
    return not name.startswith(".") or name in _HIDDEN
