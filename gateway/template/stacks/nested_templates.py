"""Finds the file of a nested stack's template, for which the parent template has a URL."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from gateway.template.syntax.nodes import Call, Fields, Items, TemplateNode, Text

_PLACEHOLDER: Final = re.compile(r"\$\{[^}]*\}")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9]*://[^/]*")


def literal_end(node: TemplateNode) -> str:
    """The constant end of a URL, independent of parameters: the file's name, and often folders
    before it. Empty if there is none."""
    if isinstance(node, Text):
        return _PLACEHOLDER.split(node.value)[-1]
    if isinstance(node, Call):
        argument = node.argument
        if node.function == "Fn::Sub" and isinstance(argument, Items) and argument.values:
            return literal_end(argument.values[0])
        return "" if node.function in ("Ref", "Fn::GetAtt") else literal_end(argument)
    parts: Iterable[TemplateNode] = ()
    if isinstance(node, Items):
        parts = node.values
    elif isinstance(node, Fields):
        parts = (field.value for field in node.entries.values())
    return next((text for part in reversed(list(parts)) if (text := literal_end(part))), "")


def find(location: str, parent: Path, given: Iterable[Path]) -> Path | None:
    """The file for a URL or a path in the template ``parent``.

    That is the file at this path relative to ``parent``, or else the file beside ``parent`` or
    among the given ones whose path has the longest end in common with the URL. None if there is
    none.
    """
    given = list(given)
    path = _SCHEME.sub("", location.partition("?")[0]).strip()
    if not path:
        return None
    beside = parent.parent / path.lstrip("/")
    if beside.is_file():
        return beside
    segments = [segment for segment in PurePosixPath(path).parts if segment not in ("/", "..", ".")]
    for start in range(len(segments)):
        end = segments[start:]
        beside = parent.parent.joinpath(*end)
        if beside.is_file():
            return beside
        for other in given:
            if list(other.parts[-len(end) :]) == end:
                return other
    return None
