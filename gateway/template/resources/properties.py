"""Reads a resource's properties, and reports those that were not read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from gateway.template.stacks.stack import Stack
from gateway.template.syntax.nodes import (
    Call,
    Cause,
    Field,
    Fields,
    Items,
    Nothing,
    Reference,
    TemplateError,
    Text,
    Value,
)

T = TypeVar("T")

_INTEGER: Final = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Owner:
    """The resource whose properties are read: ``subject`` in a stack.

    ``ties`` maps literal ARNs to resources.
    """

    subject: str
    stack: Stack
    ties: Mapping[str, str]


class Properties:
    """A resource's properties, or a mapping within them.

    The reading methods report a problem and return the default if a value is invalid. ``close``
    reports every name that was not read.
    """

    def __init__(self, fields: Fields, owner: Owner) -> None:
        self._fields = fields
        self._owner = owner
        self._read: set[str] = set()
        self._failed: set[str] = set()
        """The properties that were read but could not be evaluated; the problem is reported."""

    @property
    def line(self) -> int:
        """The line on which the mapping begins."""
        return self._fields.line

    def problem(self, line: int, text: str, cause: Cause = Cause.AWS) -> None:
        """Reports a problem of this resource."""
        self._owner.stack.template.problems.add(line, self._owner.subject, text, cause)

    def not_here(self, line: int, text: str) -> None:
        """Reports something that AWS accepts but the gateway cannot run."""
        self.problem(line, text, Cause.HERE)

    def names(self) -> tuple[str, ...]:
        """The names of all properties, read or not."""
        return tuple(self._fields.entries)

    def has(self, name: str) -> bool:
        """Whether the property is present and not ``AWS::NoValue``."""
        return self._value(name) is not None

    def line_of(self, name: str) -> int:
        """The line of the named property, or of the mapping if it is absent."""
        field = self._fields.entries.get(name)
        return field.line if field else self._fields.line

    def text(self, name: str, default: str | None = None) -> str | None:
        """The property as text."""
        found = self.written(name)
        return default if found is None else found.value

    def written(self, name: str) -> Text | None:
        """The property as a text node; None if it is absent."""
        value = self._value(name)
        if value is None:
            return None
        if isinstance(value, Reference):
            return self._guard(lambda: self._owner.stack.evaluation.text(value))
        if not isinstance(value, Text):
            self.problem(self.line_of(name), f"{name} is text")
            return None
        return value

    def failed(self, name: str) -> bool:
        """Whether the property was read but could not be evaluated; the problem is reported."""
        return name in self._failed

    def skip(self, name: str) -> None:
        """Marks a property without effect here as read."""
        self._read.add(name)

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
        """The property, which must be one of these values; the first is the default."""
        value = self.written(name)
        if value is None:
            return implemented[0]
        for choice in implemented:
            if choice.lower() in (value.value.lower(), (value.written or "").lower()):
                return choice
        self.not_here(
            self.line_of(name), f"{name} {value.written or value.value!r} is not implemented"
        )
        return implemented[0]

    def reference(self, name: str) -> Reference | Text | None:
        """The property as a reference to a resource, or as text."""
        value = self._value(name)
        if isinstance(value, Text):
            tied = self._owner.ties.get(value.value)
            return value if tied is None else Reference(tied, None, value.line)
        if isinstance(value, Reference):
            return value
        if name not in self._failed:
            self.problem(
                self.line_of(name), f"{name} is needed: the ARN of a resource, or Ref of it"
            )
        return None

    def resource(self, name: str) -> str | None:
        """The resource that the property refers to; None for anything else, which is no problem."""
        field = self._fields.entries.get(name)
        try:
            value = self._owner.stack.resolved(field.value) if field else None
        except TemplateError:
            return None
        if isinstance(value, Text):
            return self._owner.ties.get(value.value)
        return value.resource if isinstance(value, Reference) else None

    def origin(self, name: str) -> str | None:
        """The name for ``--tie`` if the property is a parameter or an import, else None."""
        field = self._fields.entries.get(name)
        node = field.value if field else None
        if not isinstance(node, Call) or not isinstance(node.argument, Text):
            return None
        if node.function == "Ref" and node.argument.value in self._owner.stack.declared:
            return self._owner.stack.qualified(node.argument.value)
        return None

    def name_of(self, name: str) -> str | None:
        """The property as text, or the name of the resource that it refers to."""
        value = self._value(name)
        if isinstance(value, Text) and value.value:
            return value.value
        if isinstance(value, Reference):
            return value.resource
        if name not in self._failed:
            self.problem(self.line_of(name), f"{name} is needed: a text, or a reference")
        return None

    def texts(self, name: str) -> tuple[Text, ...] | None:
        """The property as a list of texts; None if it is absent."""
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, Items):
            self.problem(self.line_of(name), f"{name} is a list")
            return None
        found: list[Text] = []
        for node in value.values:
            if not isinstance(node, Text | Reference):
                self.problem(node.line, f"{name} is a list of texts")
                continue
            text = self._guard(partial(self._owner.stack.resolved_text, node))
            if text is None:
                self._failed.add(name)
            else:
                found.append(text)
        return tuple(found)

    def section(self, name: str) -> "Properties | None":
        """The property as a mapping; None if it is absent."""
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, Fields):
            self.problem(self.line_of(name), f"{name} is a mapping")
            return None
        return self._within(value)

    def sections(self, name: str) -> tuple["Properties", ...]:
        """The property as a list of mappings; empty if it is absent."""
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

    def close(self, meaningless: Mapping[str, str] | None = None) -> None:
        """Reports every property that was not read and is not ``meaningless`` here."""
        for name, field in self._fields.entries.items():
            if name not in self._read and name not in (meaningless or {}) and self._is_there(field):
                self.not_here(field.line, f"property {name} is not implemented")

    def _is_there(self, field: Field) -> bool:
        """Whether a property is more than ``AWS::NoValue`` or an empty list."""
        try:
            value = self._owner.stack.evaluation.value(field.value)
        except TemplateError:
            return True
        return not isinstance(value, Nothing) and not (
            isinstance(value, Items) and not value.values
        )

    def _within(self, fields: Fields) -> "Properties":
        expanded = self._guard(lambda: self._owner.stack.evaluation.expanded(fields))
        return Properties(expanded or fields, self._owner)

    def _value(self, name: str) -> Value | None:
        self._read.add(name)
        field = self._fields.entries.get(name)
        if field is None:
            return None
        value = self._guard(lambda: self._owner.stack.resolved(field.value))
        if value is None:
            self._failed.add(name)
        return None if isinstance(value, Nothing) else value

    def _guard(self, evaluate: Callable[[], T]) -> T | None:
        try:
            return evaluate()
        except TemplateError as error:
            self.problem(error.line, error.text, error.cause)
            return None
