"""Payload templates: JSON in which a field whose name ends in `.$` has a path or a function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from workflow.intrinsics import Expression, Literal, evaluate, parse_expression
from workflow.paths import PathMissing
from workflow.values import Json, StateFailed


@dataclass(frozen=True, slots=True)
class ObjectTemplate:
    """An object whose fields are templates."""

    fields: Mapping[str, "Template"]


@dataclass(frozen=True, slots=True)
class ListTemplate:
    """A list whose items are templates."""

    items: Sequence["Template"]


Template: TypeAlias = Expression | ObjectTemplate | ListTemplate


def parse_template(value: Json) -> Template:
    """The template in a JSON value. Raises `ValueError` for a wrong path or function."""
    if isinstance(value, list):
        return ListTemplate([parse_template(item) for item in value])
    if isinstance(value, dict):
        return ObjectTemplate(dict(_field(name, inner) for name, inner in value.items()))
    return Literal(value)


def _field(name: str, value: Json) -> tuple[str, Template]:
    if not name.endswith(".$"):
        return name, parse_template(value)
    if not isinstance(value, str):
        raise ValueError(f"the value of {name!r} is neither a path nor a function")  # noqa: TRY004
    return name.removesuffix(".$"), parse_expression(value)


def fill(template: Template, document: Json, context: Json) -> Json:
    """The template with its values. Raises `StateFailed`: `States.ParameterPathFailure` for a path
    without a value, `States.IntrinsicFailure` for a function that fails."""
    if isinstance(template, ObjectTemplate):
        return {name: fill(inner, document, context) for name, inner in template.fields.items()}
    if isinstance(template, ListTemplate):
        return [fill(item, document, context) for item in template.items]
    try:
        return evaluate(template, document, context)
    except PathMissing as missing:
        raise StateFailed(
            "States.ParameterPathFailure", f"The path {missing} was not found in the input."
        ) from missing
