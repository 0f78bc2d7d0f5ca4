"""The routing resources of all stacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.template.resources.kinds import (
    FAMILY,
    LISTENER,
    LISTENER_CERTIFICATE,
    LISTENER_RULE,
    LOAD_BALANCER,
    TARGET_GROUP,
)
from gateway.template.resources.properties import Owner, Properties
from gateway.template.stacks.stack import Stack
from gateway.template.syntax.nodes import Cause, Fields, TemplateError

_ROUTING: Final = frozenset(
    {LISTENER, LISTENER_CERTIFICATE, LISTENER_RULE, LOAD_BALANCER, TARGET_GROUP}
)
_MODULE: Final = "::MODULE"


@dataclass(frozen=True, slots=True)
class Place:
    """The file and line of a resource."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Collection:
    """Every routing resource whose condition holds, by its qualified name."""

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}
        self.properties: dict[str, Properties] = {}
        self.places: dict[str, Place] = {}

    def of(self, kind: str) -> list[str]:
        """The names of the resources of a kind, in the order of templates and resources."""
        return [name for name, its in self.kinds.items() if its == kind]

    def leave_out(self, name: str) -> None:
        """Removes a resource."""
        del self.kinds[name], self.properties[name]

    @staticmethod
    def concerns(stack: Stack) -> bool:
        """Whether the stack has a routing resource, regardless of conditions."""
        return any((stack.kind(name) or "").startswith(FAMILY) for name in stack.resources)

    def add(self, stack: Stack, ties: Mapping[str, str]) -> None:
        """Adds the routing resources of a stack."""
        problems = stack.template.problems
        for logical_id, field in stack.resources.items():
            subject = stack.qualified(logical_id) if stack.parent else logical_id
            if logical_id == "Fn::Transform":
                problems.add(
                    field.line, "Resources", "Fn::Transform is known to AWS alone", Cause.HERE
                )
                continue
            resource = field.value
            if not isinstance(resource, Fields):
                problems.add(field.line, subject, "a resource is a mapping")
                continue
            kind = stack.kind(logical_id)
            if kind is None:
                problems.add(resource.line, subject, "a resource needs a Type")
                continue
            if kind.endswith(_MODULE):
                problems.warn(
                    field.line, subject, f"what is in the module {kind} is left out: AWS knows it"
                )
            if not kind.startswith(FAMILY):
                continue
            name = kind.removeprefix(FAMILY)
            if name not in _ROUTING:
                problems.add(
                    resource.entries["Type"].line,
                    subject,
                    f"{kind} is not implemented",
                    Cause.HERE,
                )
                continue
            try:
                if not stack.is_there(resource):
                    continue
            except TemplateError as error:
                problems.add(error.line, subject, error.text, error.cause)
                continue
            qualified = stack.qualified(logical_id)
            self.kinds[qualified] = name
            self.places[qualified] = Place(stack.path, field.line)
            self.properties[qualified] = Properties(
                _properties(stack, subject, resource), Owner(subject, stack, ties)
            )


def _properties(stack: Stack, subject: str, resource: Fields) -> Fields:
    field = resource.entries.get("Properties")
    if field is None:
        return Fields({}, resource.line)
    if not isinstance(field.value, Fields):
        stack.template.problems.add(field.line, subject, "Properties is a mapping")
        return Fields({}, resource.line)
    try:
        return stack.evaluation.expanded(field.value)
    except TemplateError as error:
        stack.template.problems.add(error.line, subject, error.text, error.cause)
        return Fields({}, resource.line)
