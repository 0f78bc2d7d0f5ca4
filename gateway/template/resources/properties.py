"""Reading a resource's properties so that nothing in it goes unread."""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from gateway.template.intrinsics import Evaluation, Nothing, Reference, Value
from gateway.template.syntax.nodes import Field, Fields, Items, TemplateError, TemplateNode, Text

T = TypeVar("T")

_INTEGER: Final = re.compile(r"\d{1,9}")


class Problems:
    """Everything that is wrong with a template: (line, whose, what)."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str, str]] = []

    def add(self, line: int, subject: str, text: str) -> None:
        """Notes a problem of the resource, parameter or section ``subject``."""
        if (line, subject, text) not in self._found:
            self._found.append((line, subject, text))

    def __bool__(self) -> bool:
        return bool(self._found)

    def lines(self, path: str) -> list[str]:
        """One line each, in the template's order: ``path:line: subject: text``."""
        return [
            f"{path}:{line}: {subject}: {text}" if subject else f"{path}:{line}: {text}"
            for line, subject, text in sorted(self._found, key=lambda problem: problem[0])
        ]


class Properties:
    """A resource's properties, or a mapping within them.

    The reading methods note a problem and return the default when a value is not what it has to be.
    ``close`` notes every name that was not read.
    """

    def __init__(
        self, fields: Fields, subject: str, evaluation: Evaluation, problems: Problems
    ) -> None:
        self._fields = fields
        self._subject = subject
        self._evaluation = evaluation
        self._problems = problems
        self._read: set[str] = set()

    @property
    def line(self) -> int:
        """Where the mapping begins."""
        return self._fields.line

    def problem(self, line: int, text: str) -> None:
        """Notes a problem of this resource."""
        self._problems.add(line, self._subject, text)

    def names(self) -> tuple[str, ...]:
        """What is written, read or not."""
        return tuple(self._fields.entries)

    def has(self, name: str) -> bool:
        """Whether the property is written, and not as ``AWS::NoValue``."""
        return self._value(name) is not None

    def line_of(self, name: str) -> int:
        """The line of the named property, or of the mapping when it is absent."""
        field = self._fields.entries.get(name)
        return field.line if field else self._fields.line

    def text(self, name: str, default: str | None = None) -> str | None:
        """The property as text."""
        value = self._value(name)
        if value is None:
            return default
        if not isinstance(value, Text):
            self.problem(self.line_of(name), f"{name} is text")
            return default
        return value.value

    def integer(self, name: str, least: int, most: int, default: int) -> int:
        """The property as a whole number from ``least`` to ``most``."""
        value = self.text(name)
        if value is None:
            return default
        if not _INTEGER.fullmatch(value) or not least <= int(value) <= most:
            self.problem(
                self.line_of(name), f"{name} is a number from {least} to {most}, not {value!r}"
            )
            return default
        return int(value)

    def only(self, name: str, *implemented: str) -> str:
        """The property, which may be absent (then it is the first one) or one of these."""
        value = self.text(name, implemented[0]) or implemented[0]
        if value.lower() not in (choice.lower() for choice in implemented):
            self.problem(self.line_of(name), f"{name} {value!r} is not implemented")
            return implemented[0]
        return value

    def reference(self, name: str) -> Reference | None:
        """The property as a reference to a resource."""
        value = self._value(name)
        if isinstance(value, Reference):
            return value
        if value is None:
            self.problem(self.line, f"{name} is needed")
        else:
            self.problem(self.line_of(name), f"{name} refers to a resource of this template")
        return None

    def name_of(self, name: str) -> str | None:
        """The property as text, or the logical id of the resource that it refers to."""
        value = self._value(name)
        if isinstance(value, Text) and value.value:
            return value.value
        if isinstance(value, Reference):
            return value.logical_id
        self.problem(self.line_of(name), f"{name} is needed: a text, or a reference")
        return None

    def texts(self, name: str) -> tuple[Text, ...] | None:
        """The property as a list of texts; None when it is absent."""
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, Items):
            self.problem(self.line_of(name), f"{name} is a list")
            return None
        found: list[Text] = []
        for node in value.values:
            if isinstance(node, Text):
                found.append(node)
            else:
                self.problem(node.line, f"{name} is a list of texts")
        return tuple(found)

    def section(self, name: str) -> "Properties | None":
        """The property as a mapping; None when it is absent."""
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, Fields):
            self.problem(self.line_of(name), f"{name} is a mapping")
            return None
        return self._within(value)

    def sections(self, name: str) -> tuple["Properties", ...]:
        """The property as a list of mappings; empty when it is absent."""
        value = self._value(name)
        if value is None:
            return ()
        if not isinstance(value, Items):
            self.problem(self.line_of(name), f"{name} is a list")
            return ()
        found: list[Properties] = []
        for node in value.values:
            if isinstance(node, Fields):
                found.append(self._within(node))
            else:
                self.problem(node.line, f"{name} is a list of mappings")
        return tuple(found)

    def close(self, meaningless: Mapping[str, str] | None = None, what: str = "property") -> None:
        """Refuses every property that nobody read and that is not ``meaningless`` here."""
        for name, field in self._fields.entries.items():
            if name not in self._read and name not in (meaningless or {}):
                self.problem(field.line, f"{what} {name} is not implemented")

    def _within(self, fields: Fields) -> "Properties":
        return Properties(fields, self._subject, self._evaluation, self._problems)

    def _value(self, name: str) -> Value | None:
        self._read.add(name)
        field = self._fields.entries.get(name)
        if field is None:
            return None
        value = self._guard(lambda: self._evaluation.value(field.value))
        return None if isinstance(value, Nothing) else value

    def _guard(self, evaluate: Callable[[], T]) -> T | None:
        try:
            return evaluate()
        except TemplateError as error:
            self.problem(error.line, error.text)
            return None


def as_fields(field: Field | None) -> Fields | None:
    """The mapping in ``field``; None when there is none."""
    node: TemplateNode | None = field.value if field else None
    return node if isinstance(node, Fields) else None
