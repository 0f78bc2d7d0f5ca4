"""Parses a template in JSON or YAML."""

from typing import Final

from gateway.template.syntax.json import parse_json
from gateway.template.syntax.nodes import Fields, TemplateError
from gateway.template.syntax.yaml import parse_yaml

_BYTE_ORDER_MARK: Final = "\ufeff"
MOST_BYTES: Final = 1_048_576
"""The quota "Template body size in an S3 object" of the AWS CloudFormation user guide."""


def too_large() -> TemplateError:
    """The error for a template with more than MOST_BYTES."""
    return TemplateError(1, "a template has at most 1 MB: AWS refuses it")


def parse(text: str) -> Fields:
    """Parses a template: as JSON if it begins with a brace, else as YAML.

    Raises TemplateError, with the line, for text that is neither, is not a template, or is larger
    than CloudFormation accepts.
    """
    if len(text) > MOST_BYTES:
        raise too_large()
    text = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        node = parse_json(text) if text.lstrip().startswith("{") else parse_yaml(text)
    except RecursionError:
        raise TemplateError(1, "lists and mappings are nested too deep") from None
    if not isinstance(node, Fields):
        raise TemplateError(1, "a template is a mapping of sections")
    return node
