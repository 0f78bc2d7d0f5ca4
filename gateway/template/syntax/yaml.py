"""Templates in YAML."""

from collections.abc import Iterator
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gateway.template.syntax.nodes import (
    Call,
    Field,
    Items,
    TemplateError,
    TemplateNode,
    Text,
    mapping,
    null,
    scalar,
)

_NULL: Final = "tag:yaml.org,2002:null"
_MERGE: Final = "tag:yaml.org,2002:merge"
_NUMBERS: Final = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_BOOLEAN: Final = "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """Refuses aliases, which YAML allows but CloudFormation does not."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(yaml.AliasEvent):
            raise TemplateError(self.line + 1, "CloudFormation has no YAML anchors and aliases")
        return super().compose_node(parent, index)


def parse_yaml(text: str) -> TemplateNode:
    """Parses ``text``. Raises TemplateError, with the line."""
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise TemplateError(line, f"not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise TemplateError(1, f"not YAML: {error}") from error
    if root is None:
        raise TemplateError(1, "the template is empty")
    return _convert(root)


def _convert(node: Node) -> TemplateNode:
    line = node.start_mark.line + 1
    if node.tag.startswith("!"):
        name = node.tag[1:]
        function = name if name in ("Ref", "Condition") else f"Fn::{name}"
        return Call(function, _convert_plain(node, line), line)
    return _convert_plain(node, line)


def _convert_plain(node: Node, line: int) -> TemplateNode:
    if isinstance(node, ScalarNode):
        if node.tag == _NULL:
            raise null(line)
        if node.tag == _BOOLEAN:
            meaning = yaml.SafeLoader.bool_values.get(node.value.lower())
            if meaning is None:
                raise TemplateError(line, f"not YAML: {node.value!r} is not a boolean")
            return Text("true" if meaning else "false", line, node.value)
        if node.tag in _NUMBERS:
            return Text(node.value, line, node.value)
        return scalar(node.value, line)
    if isinstance(node, SequenceNode):
        return Items(tuple(_convert(value) for value in node.value), line)
    if isinstance(node, MappingNode):
        return mapping(_entries(node), line)
    raise TemplateError(line, f"{node.tag} has no meaning in a template")


def _entries(node: MappingNode) -> Iterator[tuple[str, Field]]:
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode) or key.tag == _MERGE:
            raise TemplateError(line, "a name is plain text")
        yield key.value, Field(_convert(value), line)
