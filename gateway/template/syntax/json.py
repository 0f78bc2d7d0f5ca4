"""Templates in JSON (RFC 8259).

YAML's parser reads most JSON, but not all of it: tabs, and characters written as two surrogates.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from gateway.template.syntax.nodes import (
    Field,
    Items,
    TemplateError,
    TemplateNode,
    Text,
    mapping,
    null,
    scalar,
)

T = TypeVar("T")

_SPACE: Final = re.compile(r"[ \t\r\n]*")


def parse_json(text: str) -> TemplateNode:
    """Parses ``text``. Raises TemplateError, with the line."""
    reader = _Reader(text)
    node = reader.value()
    if reader.next_mark():
        raise reader.error("something follows the template's end")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._scalars = json.JSONDecoder(parse_constant=_no_constant)

    def next_mark(self) -> str:
        """The next character that is not white space; empty at the end."""
        found = _SPACE.match(self._text, self._at)
        self._move_to(found.end() if found else self._at)
        return self._text[self._at : self._at + 1]

    def error(self, problem: str) -> TemplateError:
        """An error in the current line."""
        return TemplateError(self._line, f"not JSON: {problem}")

    def value(self) -> TemplateNode:
        """Reads the next value."""
        mark, line = self.next_mark(), self._line
        if mark == "{":
            return mapping(self._between("}", self._entry), line)
        if mark == "[":
            return Items(tuple(self._between("]", self.value)), line)
        begin = self._at
        found = self._scalar()
        if found is None:
            raise null(line)
        if isinstance(found, str):
            return scalar(found, line)
        written = self._text[begin : self._at]
        return Text(written, line, written)

    def _entry(self) -> tuple[str, Field]:
        if self.next_mark() != '"':
            raise self.error("a name stands in double quotes")
        line = self._line
        name = str(self._scalar())
        if self.next_mark() != ":":
            raise self.error(f"a colon follows the name {name!r}")
        self._move_to(self._at + 1)
        return name, Field(self.value(), line)

    def _between(self, end: str, read: Callable[[], T]) -> Iterator[T]:
        """Reads the elements between the next character, an opening mark, and ``end``."""
        self._move_to(self._at + 1)
        if self.next_mark() == end:
            self._move_to(self._at + 1)
            return
        while True:
            yield read()
            mark = self.next_mark()
            if mark not in (",", end):
                raise self.error(f"a comma or {end} is missing")
            self._move_to(self._at + 1)
            if mark == end:
                return

    def _scalar(self) -> str | float | bool | None:
        found: str | float | bool | None
        try:
            found, end = self._scalars.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            raise TemplateError(error.lineno, f"not JSON: {error.msg}") from error
        except ValueError as error:
            raise self.error(str(error)) from error
        self._move_to(end)
        return found

    def _move_to(self, position: int) -> None:
        self._line += self._text.count("\n", self._at, position)
        self._at = position


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a value")
