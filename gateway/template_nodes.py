"""A CloudFormation template as a tree that remembers on which line everything stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_NULL: Final = "tag:yaml.org,2002:null"
_MERGE: Final = "tag:yaml.org,2002:merge"


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


class _Loader(yaml.SafeLoader):
    """Refuses what CloudFormation refuses although YAML has it: aliases."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(yaml.AliasEvent):
            raise TemplateError(self.line + 1, "CloudFormation has no YAML anchors and aliases")
        return super().compose_node(parent, index)


def parse(text: str) -> Fields:
    """The template in ``text``.

    Raises TemplateError, with the line, for text that is no YAML or no template.
    """
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
    node = _convert(root)
    if not isinstance(node, Fields):
        raise TemplateError(1, "a template is a mapping of sections")
    return node


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
            raise TemplateError(line, "null has no meaning in a template")
        return Text(node.value, line)
    if isinstance(node, SequenceNode):
        return Items(tuple(_convert(value) for value in node.value), line)
    if isinstance(node, MappingNode):
        return _convert_mapping(node, line)
    raise TemplateError(line, f"{node.tag} has no meaning in a template")


def _convert_mapping(node: MappingNode, line: int) -> TemplateNode:
    entries: dict[str, Field] = {}
    for key, value in node.value:
        key_line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode) or key.tag == _MERGE:
            raise TemplateError(key_line, "a name is plain text")
        if key.value in entries:
            raise TemplateError(key_line, f"{key.value!r} is given twice")
        entries[key.value] = Field(_convert(value), key_line)
    if len(entries) == 1:
        [(name, field)] = entries.items()
        if name == "Ref" or name.startswith("Fn::"):
            return Call(name, field.value, line)
    return Fields(entries, line)
