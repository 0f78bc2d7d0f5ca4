"""Dynamic references: ``{{resolve:ssm:/app/secret}}``, which AWS looks up when it deploys.

Source: "Get values stored in other services using dynamic references" of the AWS CloudFormation
user guide.
"""

import re
from typing import Final

from gateway.template.evaluation.surroundings import Surroundings
from gateway.template.syntax.nodes import Cause, TemplateError, Text, Value

_OPEN: Final = "{{resolve:"
_REFERENCE: Final = re.compile(r"\{\{resolve:([^{}]*)\}\}")


def is_open(text: str) -> bool:
    """Whether the text ends inside a dynamic reference."""
    begin = text.rfind(_OPEN)
    return begin >= 0 and "}}" not in text[begin:]


def with_references(text: Text, surroundings: Surroundings) -> Value:
    """The text with every dynamic reference in it replaced by its value.

    Raises TemplateError for one without a value: it is never used as literal text.
    """
    if _OPEN not in text.value:
        return text
    if only := _REFERENCE.fullmatch(text.value):
        return surroundings.looked_up(only[1], text.line)

    def replace(found: re.Match[str]) -> str:
        value = surroundings.looked_up(found[1], text.line)
        if not isinstance(value, Text):
            raise TemplateError(text.line, f"{found[0]} is not text here", Cause.UNKNOWN)
        return value.value

    replaced = _REFERENCE.sub(replace, text.value)
    if _OPEN in replaced:
        raise TemplateError(text.line, f"{text.value!r}: this dynamic reference does not end")
    return Text(replaced, text.line)
