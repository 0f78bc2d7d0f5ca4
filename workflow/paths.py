"""Paths into JSON values: `$`, `.name`, `['name']`, `[0]`, `[*]` and `.*`; `$$` is the context."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from workflow.values import Json, StateFailed


class Wildcard(Enum):
    """Every item of a list, or every value of an object."""

    ALL = "*"


Step: TypeAlias = str | int | Wildcard

_STEP: Final = re.compile(
    r"""
    \.(?P<name>[^\s.\[\]()'"*?@$,]+)
    | \[(?P<index>\d+)\]
    | \['(?P<single>(?:[^'\\]|\\.)+)'\]
    | \["(?P<double>(?:[^"\\]|\\.)+)"\]
    | (?P<all>\.\*|\[\*\])
    """,
    re.VERBOSE,
)


class PathMissing(Exception):
    """There is no value at this path."""


@dataclass(frozen=True, slots=True)
class Path:
    """One path. `of_context` is true for `$$`."""

    text: str
    of_context: bool
    steps: tuple[Step, ...]

    @property
    def is_reference(self) -> bool:
        """Whether the path names exactly one place."""
        return Wildcard.ALL not in self.steps

    def read(self, document: Json, context: Json) -> Json:
        """The value at the path; a list if the path has a wildcard. Raises `PathMissing`."""
        found = [context if self.of_context else document]
        for step in self.steps:
            found = [inner for outer in found for inner in _inside(outer, step)]
        if not self.is_reference:
            return found
        if not found:
            raise PathMissing(self.text)
        return found[0]

    def write(self, document: Json, value: Json) -> Json:
        """A copy of the document with the value there; objects on the way are created. Raises
        `StateFailed` if something else is on the way."""
        return self._written(document, self.steps, value)

    def _written(self, document: Json, steps: tuple[Step, ...], value: Json) -> Json:
        if not steps:
            return value
        step, *rest = steps
        if isinstance(step, str) and isinstance(document, dict):
            return {**document, step: self._written(document.get(step, {}), tuple(rest), value)}
        if isinstance(step, int) and isinstance(document, list) and step < len(document):
            changed = self._written(document[step], tuple(rest), value)
            return [*document[:step], changed, *document[step + 1 :]]
        raise StateFailed(
            "States.ResultPathMatchFailure", f"The path {self.text} does not fit the input."
        )


def _inside(value: Json, step: Step) -> list[Json]:
    if isinstance(step, Wildcard):
        if isinstance(value, dict):
            return list(value.values())
        return list(value) if isinstance(value, list) else []
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    return [value[step]] if isinstance(value, list) and step < len(value) else []


def parse_path(text: str) -> Path:
    """The path that a text names. Raises `ValueError` for any other syntax, such as filters."""
    of_context = text.startswith("$$")
    position = 2 if of_context else 1
    steps: list[Step] = []
    if not text.startswith("$"):
        raise ValueError(f"{text!r} is not a path: a path begins with $")
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"the path {text!r} is not supported from {text[position:]!r} on")
        steps.append(_step(match))
        position = match.end()
    return Path(text, of_context, tuple(steps))


def parse_reference(text: str) -> Path:
    """A path into the document that names exactly one place. Raises `ValueError` otherwise."""
    path = parse_path(text)
    if path.of_context or not path.is_reference:
        raise ValueError(f"{text!r} is not a reference path")
    return path


def _step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return int(match["index"])
    if match["all"] is not None:
        return Wildcard.ALL
    quoted = match["single"] or match["double"]
    return match["name"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
