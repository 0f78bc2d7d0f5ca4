"""``Fn::ForEach`` of the transform ``AWS::LanguageExtensions``.

Source: "Fn::ForEach" of the AWS CloudFormation user guide.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from gateway.template.evaluation.work import Work
from gateway.template.syntax.nodes import (
    Call,
    Field,
    Fields,
    Items,
    TemplateError,
    TemplateNode,
    Text,
    Value,
)

LOOP: Final = "Fn::ForEach::"
_IDENTIFIER: Final = re.compile(r"[$&]\{([A-Za-z0-9]+)\}")
_MOST_NESTED: Final = 5


def has_loops(fields: Fields) -> bool:
    """Whether an entry of the mapping is a loop."""
    return any(name.startswith(LOOP) for name in fields.entries)


def expanded(
    fields: Fields, evaluate: Callable[[TemplateNode], Value], work: Work, depth: int = 0
) -> Fields:
    """The mapping with its loops expanded. Raises TemplateError."""
    entries: dict[str, Field] = {}
    for name, field in fields.entries.items():
        if name.startswith(LOOP):
            made = _iterations(field, evaluate, work, depth)
        else:
            made = iter([(name, field)])
        for key, value in made:
            if key in entries:
                raise TemplateError(field.line, f"{key!r} is there already, before {name}")
            entries[key] = value
    return Fields(entries, fields.line, fields.repeated)


def _iterations(
    loop: Field, evaluate: Callable[[TemplateNode], Value], work: Work, depth: int
) -> Iterator[tuple[str, Field]]:
    if depth >= _MOST_NESTED:
        raise TemplateError(loop.line, f"Fn::ForEach nests at most {_MOST_NESTED} times")
    if not isinstance(loop.value, Items) or len(loop.value.values) != 3:
        raise TemplateError(loop.line, "Fn::ForEach takes an identifier, a list and a mapping")
    identifier, listed, body = loop.value.values
    if not isinstance(identifier, Text):
        raise TemplateError(loop.line, "Fn::ForEach: the identifier is plain text")
    if isinstance(body, Call) and body.function.startswith(LOOP):
        body = Fields({body.function: Field(body.argument, body.line)}, body.line)
    if not isinstance(body, Fields):
        raise TemplateError(loop.line, "Fn::ForEach: what is repeated is a mapping")
    collection = evaluate(listed)
    if not isinstance(collection, Items):
        raise TemplateError(loop.line, "Fn::ForEach: the collection is a list")
    for element in collection.values:
        if not isinstance(element, Text):
            raise TemplateError(loop.line, "Fn::ForEach: the collection is a list of texts")
        copy = _substituted(body, {identifier.value: element.value}, work)
        if isinstance(copy, Fields):
            yield from expanded(copy, evaluate, work, depth + 1).entries.items()


def _substituted(node: TemplateNode, values: Mapping[str, str], work: Work) -> TemplateNode:
    work.step(node.line)
    if isinstance(node, Text):
        if "{" not in node.value:
            return node
        text = _text(node.value, values)
        work.step(node.line, len(text))
        return Text(text, node.line)
    if isinstance(node, Call):
        if node.function == "Ref" and isinstance(node.argument, Text):
            value = values.get(node.argument.value)
            if value is not None:
                return Text(value, node.line)
        argument = _substituted(node.argument, values, work)
        return Call(_text(node.function, values), argument, node.line)
    if isinstance(node, Items):
        return Items(tuple(_substituted(value, values, work) for value in node.values), node.line)
    if isinstance(node, Fields):
        entries = {
            _text(name, values): Field(_substituted(field.value, values, work), field.line)
            for name, field in node.entries.items()
        }
        return Fields(entries, node.line, node.repeated)
    return node


def _text(text: str, values: Mapping[str, str]) -> str:
    def replace(found: re.Match[str]) -> str:
        value = values.get(found[1])
        if value is None:
            return found[0]
        # &{...} is for names, which have only letters and digits.
        return re.sub(r"[^A-Za-z0-9]", "", value) if found[0][0] == "&" else value

    return _IDENTIFIER.sub(replace, text)
