"""The values of a template's parameters, checked as CloudFormation checks them."""

import re
from typing import Final

import re2

from gateway.template.syntax.nodes import Cause, Fields, Items, TemplateError, Text

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

    CloudFormation looks up the value of an ``AWS::SSM::Parameter::Value<...>`` by a given name.
    Here ``given`` is the value itself. The declaration's limits apply to the name, so they are not
    checked."""
    for name, field in declaration.entries.items():
        if name not in _FIELDS:
            raise TemplateError(field.line, f"a parameter has no {name}")
    kind = _text(declaration, "Type")
    if kind is None:
        raise TemplateError(declaration.line, "a parameter needs a Type")
    default = _text(declaration, "Default")
    value = given if given is not None else default.value if default else None
    if value is None:
        raise TemplateError(
            declaration.line, "has no default, so a value is needed: --parameter", Cause.UNKNOWN
        )
    stored = _STORED.fullmatch(kind.value)
    if stored:
        return _split(value, Text(stored[1], kind.line))
    values = _split(value, kind)
    for element in values if isinstance(values, tuple) else (values,):
        _check(declaration, kind, element)
    return values


def stored_name(declaration: Fields) -> str | None:
    """The default of an ``AWS::SSM::Parameter::Value<...>``, which is the name of the stored value;
    None for a parameter of another type, or without a default."""
    kind, default = _text(declaration, "Type"), _text(declaration, "Default")
    if kind is None or default is None or not _STORED.fullmatch(kind.value):
        return None
    return default.value


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
    raise TemplateError(kind.line, f"there are no parameters of type {name!r}")


def _check(declaration: Fields, kind: Text, value: str) -> None:
    allowed = declaration.entries.get("AllowedValues")
    if allowed is not None:
        if not isinstance(allowed.value, Items):
            raise TemplateError(allowed.line, "AllowedValues is a list")
        choices = [item for item in allowed.value.values if isinstance(item, Text)]
        if not any(value in (choice.value, choice.written) for choice in choices):
            written = ", ".join(repr(choice.written or choice.value) for choice in choices)
            raise TemplateError(declaration.line, f"{value!r} is not one of {written}")
    pattern = _text(declaration, "AllowedPattern")
    if pattern is not None:
        _check_pattern(declaration, pattern, value)
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


def _check_pattern(declaration: Fields, pattern: Text, value: str) -> None:
    options = re2.Options()
    options.log_errors = False
    try:
        expression = re2.compile(pattern.value, options)
    except re2.error:
        # For example lookaround. RE2's time is proportional to the value; re would not finish for
        # some patterns.
        try:
            re.compile(pattern.value)
        except re.error as error:
            raise TemplateError(
                pattern.line, f"AllowedPattern is not a regular expression: {error}"
            ) from error
        return
    if not expression.fullmatch(value):
        raise TemplateError(declaration.line, f"{value!r} does not match {pattern.value!r}")


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
