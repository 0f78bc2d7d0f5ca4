"""The values of a template's parameters, checked as CloudFormation checks them."""

import re
from collections.abc import Mapping
from typing import Final

from gateway.template.syntax.nodes import Fields, Items, TemplateError, Text

ParameterValue = str | tuple[str, ...]

_FIELDS: Final = frozenset(
    {
        "Type",
        "Default",
        "AllowedValues",
        "AllowedPattern",
        "MinValue",
        "MaxValue",
        "MinLength",
        "MaxLength",
        "ConstraintDescription",
        "Description",
        "NoEcho",
    }
)
_RESOURCE_ID: Final = re.compile(r"AWS::[A-Za-z0-9]+::[A-Za-z0-9]+(::[A-Za-z0-9]+)*")
_STORED: Final = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")


def parameter_value(declaration: Fields, given: str | None) -> ParameterValue:
    """The value of one parameter: ``given``, or else its default.

    Raises TemplateError for a missing value, a value that the declaration does not allow, and a
    declaration that we do not implement.

    CloudFormation looks up an ``AWS::SSM::Parameter::Value<...>`` by the name that it is given.
    Here there is nowhere to look: ``given`` is what would be found, and without it the name stands
    for that. The declaration's limits are for the name, so they are not checked.
    """
    for name, field in declaration.entries.items():
        if name not in _FIELDS:
            raise TemplateError(field.line, f"{name} of a parameter is not implemented")
    kind = _text(declaration, "Type")
    if kind is None:
        raise TemplateError(declaration.line, "a parameter needs a Type")
    default = _text(declaration, "Default")
    value = given if given is not None else default.value if default else None
    if value is None:
        raise TemplateError(declaration.line, "has no default, so a value is needed: --parameter")
    stored = _STORED.fullmatch(kind.value)
    if stored:
        return _split(value, Text(stored[1], kind.line))
    values = _split(value, kind)
    for element in values if isinstance(values, tuple) else (values,):
        _check(declaration, kind, element)
    return values


def _split(value: str, kind: Text) -> ParameterValue:
    name = kind.value
    if name in ("String", "Number"):
        return value
    if name in ("CommaDelimitedList", "List<Number>", "List<String>"):
        return tuple(element.strip() for element in value.split(","))
    if name.startswith("List<") and _RESOURCE_ID.fullmatch(name[5:-1]):
        return tuple(element.strip() for element in value.split(","))
    if _RESOURCE_ID.fullmatch(name):
        return value
    raise TemplateError(kind.line, f"a parameter of type {name!r} is not implemented")


def _check(declaration: Fields, kind: Text, value: str) -> None:
    allowed = declaration.entries.get("AllowedValues")
    if allowed is not None:
        if not isinstance(allowed.value, Items):
            raise TemplateError(allowed.line, "AllowedValues is a list")
        choices = [item.value for item in allowed.value.values if isinstance(item, Text)]
        if value not in choices:
            raise TemplateError(
                declaration.line, f"{value!r} is not one of {', '.join(map(repr, choices))}"
            )
    pattern = _text(declaration, "AllowedPattern")
    if pattern is not None:
        try:
            fits = re.fullmatch(pattern.value, value)
        except re.error as error:
            raise TemplateError(pattern.line, f"AllowedPattern is no pattern: {error}") from error
        if not fits:
            raise TemplateError(declaration.line, f"{value!r} does not match {pattern.value!r}")
    size: float = len(value)
    limits = ("MinLength", "MaxLength")
    if kind.value in ("Number", "List<Number>"):
        size = _number(value, declaration.line)
        limits = ("MinValue", "MaxValue")
    least, most = (_text(declaration, name) for name in limits)
    if least is not None and size < _number(least.value, least.line):
        raise TemplateError(declaration.line, f"{value!r} is under {limits[0]} {least.value}")
    if most is not None and size > _number(most.value, most.line):
        raise TemplateError(declaration.line, f"{value!r} is over {limits[1]} {most.value}")


def _number(value: str, line: int) -> float:
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
        raise TemplateError(line, f"{value!r} is not a number")
    return float(value)


def _text(declaration: Fields, name: str) -> Text | None:
    field = declaration.entries.get(name)
    if field is None:
        return None
    if not isinstance(field.value, Text):
        raise TemplateError(field.line, f"{name} of a parameter is plain text")
    return field.value


def undeclared(declarations: Mapping[str, object], given: Mapping[str, str]) -> list[str]:
    """The names that were given a value but that the template does not declare."""
    return [name for name in given if name not in declarations]
