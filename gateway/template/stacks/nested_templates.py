"""Where the template of a nested stack is: AWS has a URL, and here are files."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from gateway.template.syntax.nodes import Call, Fields, Items, TemplateNode, Text

_PLACEHOLDER: Final = re.compile(r"\$\{[^}]*\}")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9]*://[^/]*")


def literal_end(node: TemplateNode) -> str:
    """The last text that is written in a URL whatever its parameters are: the file's name, and
    often folders before it. Empty when there is none."""
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
    """The file that a URL or a path, written in the template ``parent``, stands for.

    That is the one at this path beside ``parent``, or else the one whose path has the longest end
    in common with the URL: beside ``parent``, or among those given. None when there is none.
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
