"""Finds the template files that the command line names."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from gateway.template.inputs import Source

_SUFFIX: Final = re.compile(r"\.(?:template\.json|template\.ya?ml|json|ya?ml|template)$")
_LOOKS_LIKE_ONE: Final = re.compile(rb"""^[ \t{]*["']?Resources["']?[ \t]*:""", re.MULTILINE)
_MOST_FILES: Final = 1000
_PEEK: Final = 1_100_000


class NoTemplatesError(ValueError):
    """A folder has no templates, or implausibly many."""


def sources(arguments: Iterable[str]) -> list[Source]:
    """The templates for the arguments ``[NAME=]FILE`` and ``FOLDER``.

    Without NAME, a template has the name of its file without suffix or, in a folder, of its path
    below that folder. In a folder, only files with a template's suffix and a section ``Resources``
    are templates. Raises NoTemplatesError; a missing file is detected later.
    """
    found: list[Source] = []
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not equals or Path(argument).exists():
            name, path = "", argument
        if Path(path).is_dir():
            found += _in_folder(Path(path), name)
        else:
            found.append(Source(name or _name(Path(path).name), Path(path), named=bool(name)))
    return found


def _in_folder(folder: Path, prefix: str) -> Iterator[Source]:
    files = 0
    taken = 0
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if any(part.startswith(".") for part in relative.parts) or "node_modules" in relative.parts:
            continue
        if not _SUFFIX.search(path.name) or not path.is_file():
            continue
        files += 1
        if files > _MOST_FILES:
            raise NoTemplatesError(f"{folder} has more than {_MOST_FILES} files")
        with path.open("rb") as file:
            if not _LOOKS_LIKE_ONE.search(file.read(_PEEK)):
                continue
        taken += 1
        name = _name(relative.as_posix())
        yield Source(f"{prefix}-{name}" if prefix else name, path)
    if not taken:
        raise NoTemplatesError(f"{folder} has no CloudFormation templates in it")


def _name(path: str) -> str:
    """A template's name; dots are replaced, because they separate it from a resource's name."""
    return re.sub(r"[./=]", "-", _SUFFIX.sub("", path))
