"""A CloudFormation template as a tree whose nodes know their lines."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a template is refused."""

    AWS = "AWS refuses this too"
    HERE = "AWS accepts this, and the gateway cannot run it"
    UNKNOWN = "only AWS knows a value, or another template has it"


class TemplateError(Exception):
    """An error at one place of a template, or something that cannot be run. ``line`` counts from
    1."""

    def __init__(self, line: int, text: str, cause: Cause = Cause.AWS) -> None:
        super().__init__(text)
        self.line = line
        self.text = text
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar. Numbers and booleans are texts, and converted where their type matters.

    ``written`` is a number or boolean without quotes as it is in the template. The value of a
    boolean of YAML 1.1, such as ``yes``, is ``true`` or ``false``.
    """

    value: str
    line: int
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    values: tuple["TemplateNode", ...]
    line: int


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of a mapping; ``line`` is that of its key."""

    value: "TemplateNode"
    line: int


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping, in the template's order.

    ``repeated`` are the names that occur more than once, with the line of the last occurrence,
    which counts, as in CloudFormation.
    """

    entries: Mapping[str, Field]
    line: int
    repeated: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """An intrinsic function, long form or short: ``{"Fn::If": [...]}`` is ``!If [...]``."""

    function: str
    argument: "TemplateNode"
    line: int


@dataclass(frozen=True, slots=True)
class Reference:
    """An evaluated ``Ref`` of a resource, or with ``attribute`` its ``Fn::GetAtt``. It has no
    value, because only AWS knows it. ``resource`` is a qualified name."""

    resource: str
    attribute: str | None
    line: int

    def __str__(self) -> str:
        return f"{self.resource}.{self.attribute}" if self.attribute else self.resource


@dataclass(frozen=True, slots=True)
class Nothing:
    """An evaluated ``AWS::NoValue``: the property or list element counts as absent."""

    line: int


TemplateNode = Text | Items | Fields | Call | Reference | Nothing
Value = Text | Items | Fields | Reference | Nothing
"""The result of evaluating a node."""


def scalar(value: str, line: int) -> Text:
    """A scalar. Raises TemplateError for text that is not valid Unicode.

    A character may be escaped as two surrogates, as in JSON (RFC 8259, section 7).
    """
    if value.isascii():
        return Text(value, line)
    try:
        return Text(value.encode("utf-16", "surrogatepass").decode("utf-16"), line)
    except UnicodeDecodeError as error:
        raise TemplateError(line, "half of a surrogate pair is not a character") from error


def mapping(entries: Iterable[tuple[str, Field]], line: int) -> Fields | Call:
    """A mapping, or the function call that it represents."""
    found: dict[str, Field] = {}
    repeated: list[tuple[str, int]] = []
    for name, field in entries:
        if name in found:
            repeated.append((name, field.line))
        found[name] = field
    if len(found) == 1 and not repeated:
        [(name, field)] = found.items()
        if name == "Ref" or name.startswith("Fn::"):
            return Call(name, field.value, line)
    return Fields(found, line, tuple(repeated))


def repeated_names(node: TemplateNode) -> Iterator[tuple[str, int]]:
    """Every name in ``node`` that occurs more than once, with the line of the last occurrence."""
    if isinstance(node, Call):
        yield from repeated_names(node.argument)
    elif isinstance(node, Items):
        for value in node.values:
            yield from repeated_names(value)
    elif isinstance(node, Fields):
        yield from node.repeated
        for field in node.entries.values():
            yield from repeated_names(field.value)


def null(line: int) -> TemplateError:
    """The error for a null in a template."""
    return TemplateError(line, "null has no meaning in a template")


def moved(value: Value, line: int) -> Value:
    """The value with all its nodes moved to that line; a value from another place has the lines of
    that place."""
    if isinstance(value, Text):
        return Text(value.value, line, value.written)
    if isinstance(value, Reference):
        return Reference(value.resource, value.attribute, line)
    if isinstance(value, Items):
        return Items(tuple(_moved(node, line) for node in value.values), line)
    if isinstance(value, Fields):
        entries = {
            name: Field(_moved(field.value, line), line) for name, field in value.entries.items()
        }
        return Fields(entries, line)
    return Nothing(line)


def _moved(node: TemplateNode, line: int) -> TemplateNode:
    return node if isinstance(node, Call) else moved(node, line)
