"""A CloudFormation template as a tree that remembers on which line everything stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


class TemplateError(Exception):
    """What one place of a template says wrong, or says and we do not implement.

    ``line`` counts from 1.
    """

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar. Numbers and booleans are texts, and read as what they are where it matters."""

    value: str
    line: int


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
    """A mapping, in the order in which it is written."""

    entries: Mapping[str, Field]
    line: int


@dataclass(frozen=True, slots=True)
class Call:
    """An intrinsic function, long form or short: ``{"Fn::If": [...]}`` is ``!If [...]``."""

    function: str
    argument: "TemplateNode"
    line: int


TemplateNode = Text | Items | Fields | Call


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
    """A mapping, or the function that it is. Raises TemplateError for a name that comes twice."""
    found: dict[str, Field] = {}
    for name, field in entries:
        if name in found:
            raise TemplateError(field.line, f"{name!r} is given twice")
        found[name] = field
    if len(found) == 1:
        [(name, field)] = found.items()
        if name == "Ref" or name.startswith("Fn::"):
            return Call(name, field.value, line)
    return Fields(found, line)


def null(line: int) -> TemplateError:
    """The failure of a template that says null."""
    return TemplateError(line, "null has no meaning in a template")
