"""One stack: a template with its parameters' values."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

from gateway.template.evaluation.dynamic_references import with_references
from gateway.template.evaluation.intrinsics import Evaluation
from gateway.template.evaluation.parameters import parameter_value, stored_name
from gateway.template.evaluation.work import Work
from gateway.template.stacks.parsed import ParsedTemplate
from gateway.template.syntax.nodes import (
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
    moved,
)

NESTED: Final = frozenset({"AWS::CloudFormation::Stack", "AWS::Serverless::Application"})
_SERVERLESS: Final = "AWS::Serverless::"
_OUTPUTS: Final = "Outputs."


class OtherStacks(Protocol):
    """What a stack needs from its deployment."""

    work: Work

    def imported(self, name: str, line: int) -> Value:
        """The value of ``Fn::ImportValue``. Raises TemplateError, with ``line``."""

    def looked_up(self, reference: str, line: int) -> Value:
        """The value of a dynamic reference. Raises TemplateError, with ``line``."""

    def known(self, what: str) -> str | None:
        """The value that ``--resolve`` sets for ``what``, or None."""

    def nested(self, parent: "Stack", logical_id: str) -> "Stack | None":
        """The nested stack of a resource; None if its template is missing."""


Argument = Callable[[str], Value | None]
"""Returns the given value of a parameter; None for its default. Raises TemplateError."""


class Stack:
    """One template with its parameters' values; it is the ``Surroundings`` of its evaluation.

    ``name`` qualifies the logical ids of its resources, so that they differ from those of other
    stacks; it is empty if there is only one stack. ``pseudo`` are its pseudo parameters.
    """

    def __init__(
        self,
        template: ParsedTemplate,
        name: str,
        others: OtherStacks,
        argument: Argument,
        pseudo: Mapping[str, str],
        parent: "Stack | None" = None,
    ) -> None:
        self.template = template
        self.name = name
        self.pseudo = pseudo
        self.parent = parent
        self._others = others
        self._argument = argument
        self.evaluation = Evaluation(
            self,
            others.work,
            template.section("Mappings"),
            template.section("Conditions"),
            extended=template.extended,
        )
        self._declared = (template.section("Parameters") or Fields({}, 1)).entries
        self._parameters: dict[str, Value] = {}
        self._resources: Mapping[str, Field] | None = None
        self._outputs: Mapping[str, Field] | None = None
        self._evaluating: list[tuple[str, str]] = []

    @property
    def path(self) -> str:
        """The template's file, for messages."""
        return str(self.template.path)

    @property
    def declared(self) -> Mapping[str, Field]:
        """The template's parameters."""
        return self._declared

    def qualified(self, logical_id: str) -> str:
        """The name of a resource among the resources of all stacks."""
        return f"{self.name}.{logical_id}" if self.name else logical_id

    @property
    def resources(self) -> Mapping[str, Field]:
        """The template's resources by logical id, regardless of conditions."""
        if self._resources is None:
            self._resources = self._section("Resources")
        return self._resources

    def kind(self, logical_id: str) -> str | None:
        """The type of a resource; None if there is no such resource, or it has no type."""
        field = self.resources.get(logical_id)
        kind = (
            field.value.entries.get("Type") if field and isinstance(field.value, Fields) else None
        )
        return kind.value.value if kind and isinstance(kind.value, Text) else None

    def resolved(self, node: TemplateNode) -> Value:
        """The outline of a property, with its dynamic references resolved. Raises TemplateError."""
        value = self.evaluation.outline(node)
        return with_references(value, self) if isinstance(value, Text) else value

    def resolved_text(self, node: TemplateNode) -> Text:
        """The same, for a property that must be text."""
        return self.evaluation.text(self.resolved(node))

    def is_there(self, resource: Fields) -> bool:
        """Whether a resource's condition holds. Raises TemplateError."""
        condition = resource.entries.get("Condition")
        if condition is None:
            return True
        name = condition.value.value if isinstance(condition.value, Text) else ""
        return self.evaluation.condition(name, condition.line)

    def check_parameters(self) -> None:
        """Reports each parameter without a value or with one that is not allowed."""
        for name, field in self._declared.items():
            try:
                self._parameter(name)
            except TemplateError as error:
                if error.cause is not Cause.UNKNOWN or self._is_missing(name, field):
                    self.template.problems.add(error.line, name, error.text, error.cause)
                    # Report only the parameter, not its uses.
                    self._parameters[name] = Text("", error.line)

    def parameter(self, name: str, line: int) -> Value | None:
        """The value of a parameter; None if there is no such parameter. Raises TemplateError."""
        if name not in self._declared:
            return None
        try:
            return moved(self._parameter(name), line)
        except TemplateError as error:
            raise TemplateError(line, f"parameter {name}: {error.text}", error.cause) from error

    def pseudo_parameter(self, name: str) -> str | None:
        """The value of a pseudo parameter; None if there is no such one."""
        return self.pseudo.get(name)

    def resource(self, logical_id: str, attribute: str | None, line: int) -> Value | None:
        """``Ref`` or ``Fn::GetAtt`` of a resource; None if there is no such resource."""
        kind = self.kind(logical_id)
        if kind is None and logical_id not in self.resources and not self._is_made(logical_id):
            return None
        if kind in NESTED and attribute is not None and attribute.startswith(_OUTPUTS):
            return self._output_of(logical_id, attribute.removeprefix(_OUTPUTS), line)
        return Reference(self.qualified(logical_id), attribute, line)

    def imported(self, name: str, line: int) -> Value:
        """The value of ``Fn::ImportValue``. Raises TemplateError, with ``line``."""
        return self._others.imported(name, line)

    def looked_up(self, reference: str, line: int) -> Value:
        """The value of a dynamic reference. Raises TemplateError, with ``line``."""
        return self._others.looked_up(reference, line)

    def known(self, what: str) -> str | None:
        """The value that ``--resolve`` sets for ``what``, or None."""
        return self._others.known(what)

    def output(self, name: str) -> Value:
        """The value of an output. Raises TemplateError, with a line of this template."""
        field = self.outputs.get(name)
        if field is None or not isinstance(field.value, Fields):
            raise TemplateError(self.template.fields.line, f"there is no output {name!r}")
        output = field.value
        if not self.is_there(output):
            raise TemplateError(field.line, f"the condition of output {name} does not hold")
        value = output.entries.get("Value")
        if value is None:
            raise TemplateError(field.line, f"output {name} has no Value")
        node = value.value
        return self._guarded(("output", name), field.line, lambda: self.evaluation.value(node))

    @property
    def outputs(self) -> Mapping[str, Field]:
        """The template's outputs, regardless of conditions."""
        if self._outputs is None:
            self._outputs = self._section("Outputs")
        return self._outputs

    def argument_in(self, nested: Mapping[str, Field], name: str) -> Value | None:
        """The value that this stack passes to a parameter of a nested stack; None if it passes
        none.

        Raises TemplateError, whose text names the place in this template.
        """
        field = nested.get(name)
        if field is None:
            return None
        try:
            value = self.evaluation.value(field.value)
        except TemplateError as error:
            raise self.elsewhere(error, field.line) from error
        return None if isinstance(value, Nothing) else value

    def elsewhere(self, error: TemplateError, line: int) -> TemplateError:
        """An error of this template, attributed to a line of another template."""
        return TemplateError(line, f"{error.text} ({self.path}:{error.line})", error.cause)

    def _output_of(self, logical_id: str, name: str, line: int) -> Value:
        nested = self._others.nested(self, logical_id)
        if nested is None:
            raise TemplateError(
                line,
                f"the template of nested stack {logical_id} is not at hand: "
                f"--template {self.qualified(logical_id)}=FILE",
                Cause.UNKNOWN,
            )
        try:
            return moved(nested.output(name), line)
        except TemplateError as error:
            raise nested.elsewhere(error, line) from error

    def _section(self, name: str) -> Mapping[str, Field]:
        section = self.template.section(name)
        if section is None:
            return {}
        try:
            return self.evaluation.expanded(section).entries
        except TemplateError as error:
            self.template.problems.add(error.line, name, error.text, error.cause)
            return {}

    def _parameter(self, name: str) -> Value:
        if name not in self._parameters:
            field = self._declared[name]
            self._parameters[name] = self._guarded(
                ("parameter", name), field.line, lambda: self._parameter_value(name, field)
            )
        return self._parameters[name]

    def _parameter_value(self, name: str, field: Field) -> Value:
        if not isinstance(field.value, Fields):
            raise TemplateError(field.line, "a parameter is a mapping")
        declaration = Fields(field.value.entries, field.line)
        given = self._argument(name)
        if isinstance(given, Reference):
            return given
        if given is not None and not isinstance(given, Text):
            raise TemplateError(field.line, "a parameter is given as text")
        stored = stored_name(declaration)
        if stored is not None and (given is None or self.parent is not None):
            value = self._others.looked_up(f"ssm:{given.value if given else stored}", field.line)
            if not isinstance(value, Text):
                return value
            given = value
        found = parameter_value(declaration, given.value if given else None)
        if isinstance(found, str):
            return Text(found, field.line)
        return Items(tuple(Text(element, field.line) for element in found), field.line)

    def _is_missing(self, name: str, field: Field) -> bool:
        """Whether the parameter itself lacks a value, not only one that it is derived from."""
        if isinstance(field.value, Fields) and "Default" in field.value.entries:
            return False
        try:
            return self._argument(name) is None
        except TemplateError:
            return False

    def _guarded(self, what: tuple[str, str], line: int, evaluate: Callable[[], Value]) -> Value:
        if what in self._evaluating:
            circle = " -> ".join(name for _, name in [*self._evaluating, what])
            raise TemplateError(line, f"{' '.join(what)} depends on itself: {circle}")
        self._evaluating.append(what)
        try:
            return evaluate()
        finally:
            self._evaluating.pop()

    def _is_made(self, logical_id: str) -> bool:
        """Whether the Serverless transform may create a resource with that name, like
        ``FunctionRole``."""
        return self.template.serverless and any(
            logical_id.startswith(name) and (self.kind(name) or "").startswith(_SERVERLESS)
            for name in self.resources
        )

    def of_kind(self, kinds: frozenset[str]) -> Iterator[tuple[str, Fields]]:
        """The resources of these types whose conditions hold, by logical id, without those whose
        condition cannot be evaluated."""
        for logical_id, field in self.resources.items():
            if self.kind(logical_id) in kinds and isinstance(field.value, Fields):
                try:
                    there = self.is_there(field.value)
                except TemplateError:
                    continue
                if there:
                    yield logical_id, field.value
