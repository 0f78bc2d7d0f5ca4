"""Which files the command line means by its templates."""

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
    """A folder has no templates in it, or more than anybody means."""


def sources(arguments: Iterable[str]) -> list[Source]:
    """The templates that ``[NAME=]FILE`` and ``FOLDER`` stand for.

    Without NAME a template is called what its file is, without suffix; in a folder, what its path
    in there is. Of a folder's files those are taken that end as templates do and have a section
    ``Resources``. Raises NoTemplatesError; a file that is not there is found out later.
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
    """A template's name, in which a dot would begin the name of a resource."""
    return re.sub(r"[./=]", "-", _SUFFIX.sub("", path))
