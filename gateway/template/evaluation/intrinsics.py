"""CloudFormation's intrinsic functions, as far as routing needs them.

A reference to a resource stays symbolic, because resources have no ARNs on a laptop.
Source: "Intrinsic function reference" of the AWS CloudFormation user guide.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from gateway.template.evaluation.dynamic_references import is_open
from gateway.template.evaluation.loops import LOOP, expanded, has_loops
from gateway.template.evaluation.surroundings import Surroundings
from gateway.template.evaluation.work import MOST_CHARACTERS, Work
from gateway.template.syntax.nodes import (
    Call,
    Cause,
    Field,
    Fields,
    Items,
    Nothing,
    Reference,
    TemplateError,
    TemplateNode,
    Text,
    Value,
)

_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^}]*)\}")
_EXTENSIONS: Final = frozenset({"Fn::Length", "Fn::ToJsonString"})


class Evaluation:
    """Evaluates nodes of one template.

    ``extended`` says whether the template has the transform ``AWS::LanguageExtensions``. Every
    method raises TemplateError for what it cannot evaluate. Evaluating a value again does not
    change it."""

    def __init__(
        self,
        surroundings: Surroundings,
        work: Work,
        mappings: Fields | None,
        conditions: Fields | None,
        *,
        extended: bool,
    ) -> None:
        self._surroundings = surroundings
        self._work = work
        self._mappings = mappings
        self._written_conditions = conditions
        self._conditions: Fields | None = None
        self._extended = extended
        self._decided: dict[str, bool] = {}
        self._deciding: list[str] = []
        self._functions: Mapping[str, Callable[[Call], Value]] = {
            "Ref": self._ref,
            "Fn::Base64": self._base64,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::Length": self._length,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Fn::ToJsonString": self._to_json,
        }

    def value(self, node: TemplateNode) -> Value:
        """The node with every function in it evaluated."""
        self._work.step(node.line)
        if isinstance(node, Text | Reference | Nothing):
            return node
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Items):
            values = [self.value(value) for value in node.values]
            return Items(
                tuple(value for value in values if not isinstance(value, Nothing)), node.line
            )
        entries = {
            name: Field(value, field.line)
            for name, field in self.expanded(node).entries.items()
            if not isinstance(value := self.value(field.value), Nothing)
        }
        return Fields(entries, node.line)

    def outline(self, node: TemplateNode) -> Value:
        """The node evaluated only at its top level: elements of lists and mappings may still
        contain functions, so only the elements that are read must have a value."""
        self._work.step(node.line)
        if isinstance(node, Call):
            if node.function == "Fn::If":
                return self.outline(self._branch(node))
            return self._call(node)
        if isinstance(node, Items):
            values = [
                self.outline(value) if isinstance(value, Call) else value for value in node.values
            ]
            return Items(
                tuple(value for value in values if not isinstance(value, Nothing)), node.line
            )
        return self.expanded(node) if isinstance(node, Fields) else node

    def expanded(self, fields: Fields) -> Fields:
        """The mapping with its loops expanded."""
        if not has_loops(fields):
            return fields
        if not self._extended:
            raise TemplateError(
                fields.line, "Fn::ForEach needs Transform: AWS::LanguageExtensions in the template"
            )
        return expanded(fields, self.value, self._work)

    def text(self, node: TemplateNode) -> Text:
        """The node's value, which must be text."""
        value = self.value(node)
        if isinstance(value, Reference):
            return Text(self._text_of(value), value.line)
        if not isinstance(value, Text):
            raise TemplateError(node.line, "text is needed here")
        return value

    def condition(self, name: str, line: int) -> bool:
        """Whether the named condition holds."""
        if name in self._decided:
            return self._decided[name]
        if self._conditions is None and self._written_conditions is not None:
            self._conditions = self.expanded(self._written_conditions)
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
        self._work.step(node.line)
        if isinstance(node, Fields) and tuple(node.entries) == ("Condition",):
            node = Call("Condition", node.entries["Condition"].value, node.line)
        if not isinstance(node, Call):
            raise TemplateError(node.line, "a condition is Fn::Equals, Not, And, Or or Condition")
        if node.function == "Condition":
            return self.condition(_plain(node.argument), node.line)
        if node.function == "Fn::Equals":
            left, right = _arguments(node, 2)
            return _same(self.text(left), self.text(right))
        if node.function == "Fn::Not":
            [negated] = _arguments(node, 1)
            return not self._holds(negated)
        if node.function in ("Fn::And", "Fn::Or"):
            parts = _arguments(node)
            if not 2 <= len(parts) <= 10:
                raise TemplateError(node.line, f"{node.function} takes 2 to 10 conditions")
            results = [self._holds(part) for part in parts]
            return all(results) if node.function == "Fn::And" else any(results)
        raise TemplateError(node.line, f"{node.function} is not a function for conditions")

    def _call(self, call: Call) -> Value:
        if call.function.startswith(LOOP):
            return self.value(Fields({call.function: Field(call.argument, call.line)}, call.line))
        if call.function in _EXTENSIONS and not self._extended:
            raise TemplateError(
                call.line,
                f"{call.function} needs Transform: AWS::LanguageExtensions in the template",
            )
        function = self._functions.get(call.function)
        if function is None:
            raise TemplateError(call.line, f"{call.function} is not implemented here", Cause.HERE)
        value = function(call)
        if isinstance(value, Text):
            self._work.step(call.line, len(value.value))
        return value

    def _ref(self, call: Call) -> Value:
        return self._referred(self._name(call.argument), call.line)

    def _referred(self, name: str, line: int) -> Value:
        if name == "AWS::NoValue":
            return Nothing(line)
        pseudo = self._surroundings.pseudo_parameter(name)
        if pseudo is not None:
            return Text(pseudo, line)
        value = self._surroundings.parameter(name, line)
        if value is None:
            value = self._surroundings.resource(name, None, line)
        if value is None:
            raise TemplateError(line, f"there is no parameter or resource {name!r}")
        return value

    def _get_att(self, call: Call) -> Value:
        if isinstance(call.argument, Text):
            logical_id, dot, attribute = call.argument.value.partition(".")
            if not dot:
                raise TemplateError(call.line, "Fn::GetAtt needs a resource and an attribute")
        else:
            of, which = _arguments(call, 2)
            logical_id, attribute = self._name(of), self.text(which).value
        value = self._surroundings.resource(logical_id, attribute, call.line)
        if value is None:
            raise TemplateError(call.line, f"there is no resource {logical_id!r}")
        return value

    def _name(self, node: TemplateNode) -> str:
        """A name in ``Ref`` or ``Fn::GetAtt``, which may be an expression with the language
        extensions."""
        return self.text(node).value if self._extended else _plain(node)

    def _if(self, call: Call) -> Value:
        return self.value(self._branch(call))

    def _branch(self, call: Call) -> TemplateNode:
        condition, then, otherwise = _arguments(call, 3)
        return then if self.condition(_plain(condition), call.line) else otherwise

    def _import_value(self, call: Call) -> Value:
        return self._surroundings.imported(self.text(call.argument).value, call.line)

    def _find_in_map(self, call: Call) -> Value:
        arguments = _arguments(call)
        default = None
        if self._extended and len(arguments) == 4:
            last = arguments[3]
            arguments = arguments[:3]
            entries = last.entries if isinstance(last, Fields) else {}
            if tuple(entries) != ("DefaultValue",):
                raise TemplateError(call.line, "Fn::FindInMap: DefaultValue is missing")
            default = entries["DefaultValue"].value
        if len(arguments) != 3:
            raise TemplateError(call.line, "Fn::FindInMap takes 3 arguments")
        keys = [self.text(argument).value for argument in arguments]
        node: TemplateNode | None = self._mappings
        for key in keys:
            field = node.entries.get(key) if isinstance(node, Fields) else None
            if field is None:
                if default is not None:
                    return self.value(default)
                raise TemplateError(call.line, f"there is no {' / '.join(keys)} in Mappings")
            node = field.value
        if isinstance(node, Text):
            return Text(node.value, call.line, node.written)
        if isinstance(node, Items):
            return node
        raise TemplateError(call.line, f"{' / '.join(keys)} in Mappings is neither text nor a list")

    def _join(self, call: Call) -> Value:
        separator, listed = _arguments(call, 2)
        parts = self._list(listed)
        between = Text(_plain(separator), call.line)
        pieces = [piece for part in parts for piece in (between, part)]
        return Text(self._concatenated(pieces[1:], call.line), call.line)

    def _select(self, call: Call) -> Value:
        index, listed = _arguments(call, 2)
        position = self.text(index).value
        parts = self._list(listed)
        if not position.isdecimal() or len(position) > 9 or int(position) >= len(parts):
            raise TemplateError(call.line, f"Fn::Select: there is no element {position!r}")
        return self.value(parts[int(position)])

    def _split(self, call: Call) -> Value:
        separator, source = _arguments(call, 2)
        delimiter = _plain(separator)
        if not delimiter:
            raise TemplateError(call.line, "Fn::Split: the delimiter is empty")
        parts = self.text(source).value.split(delimiter)
        self._work.step(call.line, 64 * len(parts))
        return Items(tuple(Text(part, call.line) for part in parts), call.line)

    def _length(self, call: Call) -> Value:
        value = self.value(call.argument)
        if not isinstance(value, Items):
            raise TemplateError(call.line, "Fn::Length takes a list")
        return Text(str(len(value.values)), call.line)

    def _to_json(self, call: Call) -> Value:
        value = self.value(call.argument)
        if not isinstance(value, Items | Fields):
            raise TemplateError(call.line, "Fn::ToJsonString takes a mapping or a list")
        written = json.dumps(self._as_json(value), separators=(",", ":"), ensure_ascii=False)
        return Text(written, call.line)

    def _as_json(self, node: TemplateNode) -> object:
        if isinstance(node, Items):
            return [self._as_json(value) for value in node.values]
        if isinstance(node, Fields):
            return {name: self._as_json(field.value) for name, field in node.entries.items()}
        text = self.text(node)
        if text.written is None:
            return text.value
        try:
            number: object = json.loads(text.value)
        except ValueError:
            return text.value
        return number

    def _base64(self, call: Call) -> Value:
        encoded = base64.b64encode(self.text(call.argument).value.encode())
        return Text(encoded.decode(), call.line)

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
        if (only := _PLACEHOLDER.fullmatch(text)) and not only[1]:
            return self._placeholder(only[2], local, call.line)
        pieces: list[TemplateNode] = []
        end = 0
        values: dict[str, Value] = {}
        for found in _PLACEHOLDER.finditer(text):
            pieces.append(Text(text[end : found.start()], call.line))
            end = found.end()
            name = found[2]
            if found[1]:
                pieces.append(Text("${" + name + "}", call.line))
                continue
            if name not in values:
                values[name] = self._placeholder(name, local, call.line)
            pieces.append(values[name])
        pieces.append(Text(text[end:], call.line))
        return Text(self._concatenated(pieces, call.line), call.line)

    def _placeholder(self, name: str, local: Mapping[str, Field], line: int) -> Value:
        name = name.strip()
        if name in local:
            return self.value(local[name].value)
        logical_id, dot, attribute = name.partition(".")
        if dot:
            value = self._surroundings.resource(logical_id, attribute, line)
            if value is not None:
                return value
        return self._referred(name, line)

    def _concatenated(self, pieces: Iterable[TemplateNode], line: int) -> str:
        """The pieces' texts, concatenated. Inside a dynamic reference, which only names something,
        a resource is represented by its name."""
        texts: list[str] = []
        characters = 0
        for piece in pieces:
            value = self.value(piece)
            if isinstance(value, Reference) and is_open("".join(texts)):
                texts.append(self._surroundings.known(str(value)) or str(value))
            else:
                texts.append(self.text(value).value)
            characters += len(texts[-1])
            self._work.step(line, characters if characters > MOST_CHARACTERS else len(texts[-1]))
        return "".join(texts)

    def _text_of(self, reference: Reference) -> str:
        known = self._surroundings.known(str(reference))
        if known is None:
            raise TemplateError(
                reference.line,
                f"only AWS knows what {reference} is: --resolve {reference}=VALUE",
                Cause.UNKNOWN,
            )
        return known


def _same(left: Text, right: Text) -> bool:
    """Whether texts are equal. A YAML boolean also equals the word as written, because AWS does not
    document whether parameters' values are converted to booleans."""
    words = {left.value, left.written} & {right.value, right.written}
    return bool(words - {None})


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
