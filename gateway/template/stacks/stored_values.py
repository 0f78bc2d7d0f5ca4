"""Values in Systems Manager's parameter store that the templates themselves create."""

from collections.abc import Iterable
from typing import Final

from gateway.template.stacks.entries import entry
from gateway.template.stacks.stack import Stack
from gateway.template.syntax.nodes import TemplateError, TemplateNode, Value, moved

_KINDS: Final = frozenset({"AWS::SSM::Parameter"})


class StoredValues:
    """The values of the resources ``AWS::SSM::Parameter``, by their names."""

    def __init__(self, stacks: Iterable[Stack]) -> None:
        self._found: dict[str, tuple[Stack, TemplateNode]] = {}
        self._looking_up: list[str] = []
        for stack in stacks:
            for _, resource in stack.of_kind(_KINDS):
                name, value = (entry(resource, "Properties", part) for part in ("Name", "Value"))
                if name is None or value is None:
                    continue
                try:
                    self._found[stack.evaluation.text(name).value] = (stack, value)
                except TemplateError:
                    continue

    def value(self, name: str, line: int) -> Value | None:
        """The value stored under that name; None if no template creates it. Raises TemplateError,
        with ``line``."""
        found = self._found.get(name)
        if found is None:
            return None
        if name in self._looking_up:
            raise TemplateError(line, f"what is stored as {name} depends on itself")
        stack, node = found
        self._looking_up.append(name)
        try:
            return moved(stack.evaluation.value(node), line)
        except TemplateError as error:
            raise stack.elsewhere(error, line) from error
        finally:
            self._looking_up.pop()
