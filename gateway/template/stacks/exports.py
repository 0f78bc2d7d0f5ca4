"""The exports of stacks."""

from collections.abc import Iterable

from gateway.template.stacks.entries import entry
from gateway.template.stacks.stack import Stack
from gateway.template.syntax.nodes import Cause, Fields, TemplateError, Value, moved


class Exports:
    """The exports of some stacks, by name. Two with one name are reported as a problem."""

    def __init__(self, stacks: Iterable[Stack]) -> None:
        self._found: dict[str, tuple[Stack, str]] = {}
        self._unknown: list[str] = []
        for stack in stacks:
            for output, field in stack.outputs.items():
                if isinstance(field.value, Fields):
                    self._add(stack, output, field.value)

    def value(self, name: str, line: int) -> Value:
        """The value of the export with that name. Raises TemplateError, with ``line``."""
        found = self._found.get(name)
        if found is None:
            unknown = "".join(
                f"; the name of the export at {place} is not known" for place in self._unknown
            )
            raise TemplateError(
                line,
                f"no template here exports {name!r}: add the one that does by --template, or say "
                f"what it is by --resolve import:{name}=VALUE or --tie import:{name}=RESOURCE"
                f"{unknown}",
                Cause.UNKNOWN,
            )
        stack, output = found
        try:
            return moved(stack.output(output), line)
        except TemplateError as error:
            raise stack.elsewhere(error, line) from error

    def _add(self, stack: Stack, output: str, fields: Fields) -> None:
        node = entry(fields, "Export", "Name")
        if node is None:
            return
        try:
            if not stack.is_there(fields):
                return
            name = stack.evaluation.text(node).value
        except TemplateError:
            self._unknown.append(f"{stack.path}:{node.line}")
            return
        if name in self._found:
            other, its = self._found[name]
            stack.template.problems.add(
                node.line, output, f"{other.path} exports {name!r} already, as {its}"
            )
            return
        self._found[name] = (stack, output)
