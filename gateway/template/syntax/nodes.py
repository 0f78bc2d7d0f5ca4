"""A CloudFormation template as a tree that remembers on which line everything stands."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a template is refused."""

    AWS = "AWS refuses this too"
    HERE = "AWS accepts this, and the gateway cannot run it"
    UNKNOWN = "only AWS knows a value, or another template has it"


class TemplateError(Exception):
    """What one place of a template says wrong, or what cannot be run. ``line`` counts from 1."""

    def __init__(self, line: int, text: str, cause: Cause = Cause.AWS) -> None:
        super().__init__(text)
        self.line = line
        self.text = text
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar. Numbers and booleans are texts, and read as what they are where it matters.

    ``written`` is how a number or a boolean without quotes stands in the template. The value of a
    boolean of YAML 1.1, ``yes`` say, is ``true`` or ``false``.
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
    """A mapping, in the order in which it is written.

    ``repeated`` are the names that are written more than once, each with the line of the last,
    which is the one that counts (as CloudFormation has it).
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
    """``Ref`` of a resource, or with ``attribute`` its ``Fn::GetAtt``: evaluated, and without a
    value, because only AWS knows it. ``resource`` is a qualified name (``gateway.template.stack``).
    """

    resource: str
    attribute: str | None
    line: int

    def __str__(self) -> str:
        return f"{self.resource}.{self.attribute}" if self.attribute else self.resource


@dataclass(frozen=True, slots=True)
class Nothing:
    """``AWS::NoValue``, evaluated: as if the property or list element were not there."""

    line: int


TemplateNode = Text | Items | Fields | Call | Reference | Nothing
Value = Text | Items | Fields | Reference | Nothing
"""What evaluation makes of a node."""


def scalar(value: str, line: int) -> Text:
    """A scalar. Raises TemplateError for what is not Unicode text.

    Escapes may write a character as two surrogates, as JSON does (RFC 8259, section 7).
    """
    if value.isascii():
        return Text(value, line)
    try:
        return Text(value.encode("utf-16", "surrogatepass").decode("utf-16"), line)
    except UnicodeDecodeError as error:
        raise TemplateError(line, "half of a surrogate pair is no character") from error


def mapping(entries: Iterable[tuple[str, Field]], line: int) -> Fields | Call:
    """A mapping, or the function that it is."""
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
    """Every name in ``node`` that is written more than once, with the line of the last."""
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
    """The failure of a template that says null."""
    return TemplateError(line, "null has no meaning in a template")


def moved(value: Value, line: int) -> Value:
    """The value as if it stood in that line: what comes from elsewhere has the lines of there."""
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
