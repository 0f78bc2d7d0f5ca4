"""CloudFormation's intrinsic functions, as far as routing needs them.

A reference to another resource stays symbolic: it has no ARN on a laptop.
Source: "Intrinsic function reference" of the AWS CloudFormation user guide.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.template.parameters import ParameterValue
from gateway.template.syntax.nodes import (
    Call,
    Field,
    Fields,
    Items,
    TemplateError,
    TemplateNode,
    Text,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """``Ref`` of a resource, or with ``attribute`` its ``Fn::GetAtt``."""

    logical_id: str
    attribute: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """``AWS::NoValue``: as if the property or list element were not there."""

    line: int


Value = Text | Items | Fields | Reference | Nothing

PSEUDO_PARAMETERS: Final[Mapping[str, str]] = {
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/local/0",
    "AWS::StackName": "local",
    "AWS::URLSuffix": "amazonaws.com",
}
"""What they are on a laptop: stable, and recognisably made up."""

_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^}]*)\}")


class Evaluation:
    """Evaluates nodes of one template, given its parameters' values.

    Every method raises TemplateError for what it cannot evaluate.
    """

    def __init__(
        self,
        parameters: Mapping[str, ParameterValue],
        mappings: Fields | None,
        conditions: Fields | None,
        resources: Fields,
    ) -> None:
        self._parameters = parameters
        self._mappings = mappings
        self._conditions = conditions
        self._resources = resources
        self._decided: dict[str, bool] = {}
        self._deciding: list[str] = []
        self._functions: Mapping[str, Callable[[Call], Value]] = {
            "Ref": self._ref,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Sub": self._sub,
        }

    def value(self, node: TemplateNode) -> Value:
        """The node with every function in it evaluated."""
        if isinstance(node, Text):
            return node
        if isinstance(node, Call):
            function = self._functions.get(node.function)
            if function is None:
                raise TemplateError(node.line, f"{node.function} is not implemented here")
            return function(node)
        if isinstance(node, Items):
            values = [self.value(value) for value in node.values]
            return Items(
                tuple(_as_node(value) for value in values if not isinstance(value, Nothing)),
                node.line,
            )
        entries = {
            name: Field(_as_node(value), field.line)
            for name, field in node.entries.items()
            if not isinstance(value := self.value(field.value), Nothing)
        }
        return Fields(entries, node.line)

    def text(self, node: TemplateNode) -> Text:
        """The node's value, which has to be text."""
        value = self.value(node)
        if not isinstance(value, Text):
            raise TemplateError(node.line, "text is needed here")
        return value

    def condition(self, name: str, line: int) -> bool:
        """Whether the named condition holds."""
        if name in self._decided:
            return self._decided[name]
        field = self._conditions.entries.get(name) if self._conditions else None
        if field is None:
            raise TemplateError(line, f"there is no condition {name!r}")
        if name in self._deciding:
            raise TemplateError(line, f"condition {name!r} depends on itself")
        self._deciding.append(name)
        try:
            holds = self._holds(field.value)
        finally:
            self._deciding.pop()
        self._decided[name] = holds
        return holds

    def _holds(self, node: TemplateNode) -> bool:
        if isinstance(node, Fields) and tuple(node.entries) == ("Condition",):
            node = Call("Condition", node.entries["Condition"].value, node.line)
        if not isinstance(node, Call):
            raise TemplateError(node.line, "a condition is Fn::Equals, Not, And, Or or Condition")
        if node.function == "Condition":
            return self.condition(_plain(node.argument), node.line)
        if node.function == "Fn::Equals":
            left, right = _arguments(node, 2)
            return self.text(left).value == self.text(right).value
        if node.function == "Fn::Not":
            [negated] = _arguments(node, 1)
            return not self._holds(negated)
        if node.function in ("Fn::And", "Fn::Or"):
            parts = _arguments(node)
            if not 2 <= len(parts) <= 10:
                raise TemplateError(node.line, f"{node.function} takes 2 to 10 conditions")
            results = [self._holds(part) for part in parts]
            return all(results) if node.function == "Fn::And" else any(results)
        raise TemplateError(node.line, f"{node.function} is not implemented in a condition")

    def _ref(self, call: Call) -> Value:
        return self._referred(_plain(call.argument), call.line)

    def _referred(self, name: str, line: int) -> Value:
        if name == "AWS::NoValue":
            return Nothing(line)
        if name in PSEUDO_PARAMETERS:
            return Text(PSEUDO_PARAMETERS[name], line)
        if name in self._parameters:
            value = self._parameters[name]
            if isinstance(value, tuple):
                return Items(tuple(Text(element, line) for element in value), line)
            return Text(value, line)
        if name in self._resources.entries:
            return Reference(name, None, line)
        raise TemplateError(line, f"there is no parameter or resource {name!r}")

    def _get_att(self, call: Call) -> Value:
        if isinstance(call.argument, Text):
            logical_id, dot, attribute = call.argument.value.partition(".")
            if not dot:
                raise TemplateError(call.line, "Fn::GetAtt needs a resource and an attribute")
        else:
            of, which = _arguments(call, 2)
            logical_id, attribute = _plain(of), _plain(which)
        if logical_id not in self._resources.entries:
            raise TemplateError(call.line, f"there is no resource {logical_id!r}")
        return Reference(logical_id, attribute, call.line)

    def _if(self, call: Call) -> Value:
        condition, then, otherwise = _arguments(call, 3)
        return self.value(then if self.condition(_plain(condition), call.line) else otherwise)

    def _find_in_map(self, call: Call) -> Value:
        keys = [self.text(argument).value for argument in _arguments(call, 3)]
        node: TemplateNode | None = self._mappings
        for key in keys:
            field = node.entries.get(key) if isinstance(node, Fields) else None
            if field is None:
                raise TemplateError(call.line, f"there is no {' / '.join(keys)} in Mappings")
            node = field.value
        if isinstance(node, Text):
            return Text(node.value, call.line)
        if isinstance(node, Items):
            return node
        raise TemplateError(call.line, f"{' / '.join(keys)} in Mappings is neither text nor a list")

    def _join(self, call: Call) -> Value:
        separator, listed = _arguments(call, 2)
        parts = self._list(listed)
        return Text(_plain(separator).join(self.text(part).value for part in parts), call.line)

    def _select(self, call: Call) -> Value:
        index, listed = _arguments(call, 2)
        position = self.text(index).value
        parts = self._list(listed)
        if not position.isdecimal() or int(position) >= len(parts):
            raise TemplateError(call.line, f"Fn::Select: there is no element {position!r}")
        return self.value(parts[int(position)])

    def _list(self, node: TemplateNode) -> tuple[TemplateNode, ...]:
        value = self.value(node)
        if not isinstance(value, Items):
            raise TemplateError(node.line, "a list is needed here")
        return value.values

    def _sub(self, call: Call) -> Value:
        local: Mapping[str, Field] = {}
        template = call.argument
        if isinstance(template, Items):
            template, names = _arguments(call, 2)
            if not isinstance(names, Fields):
                raise TemplateError(call.line, "Fn::Sub takes a text and a mapping of its names")
            local = names.entries
        text = _plain(template)
        if (only := _PLACEHOLDER.fullmatch(text)) and not only[1] and only[2] not in local:
            return self._placeholder(only[2], call.line)

        def replace(found: re.Match[str]) -> str:
            if found[1]:
                return "${" + found[2] + "}"
            if found[2] in local:
                return self.text(local[found[2]].value).value
            value = self._placeholder(found[2], call.line)
            if not isinstance(value, Text):
                raise TemplateError(call.line, f"${{{found[2]}}} is no text on a laptop")
            return value.value

        return Text(_PLACEHOLDER.sub(replace, text), call.line)

    def _placeholder(self, name: str, line: int) -> Value:
        logical_id, dot, attribute = name.partition(".")
        if dot and logical_id in self._resources.entries:
            return Reference(logical_id, attribute, line)
        return self._referred(name, line)


def _arguments(call: Call, count: int | None = None) -> tuple[TemplateNode, ...]:
    if not isinstance(call.argument, Items):
        raise TemplateError(call.line, f"{call.function} takes a list")
    values = call.argument.values
    if count is not None and len(values) != count:
        raise TemplateError(call.line, f"{call.function} takes {count} arguments")
    return values


def _plain(node: TemplateNode) -> str:
    if not isinstance(node, Text):
        raise TemplateError(node.line, "plain text is needed here")
    return node.value


def _as_node(value: Value) -> TemplateNode:
    """Keeps a reference inside a list or mapping as the call that it came from."""
    if isinstance(value, Reference):
        if value.attribute is None:
            return Call("Ref", Text(value.logical_id, value.line), value.line)
        name = Text(f"{value.logical_id}.{value.attribute}", value.line)
        return Call("Fn::GetAtt", name, value.line)
    if isinstance(value, Nothing):
        return Call("Ref", Text("AWS::NoValue", value.line), value.line)
    return value
