"""All stacks together, with their exports, imports and nested stacks."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from gateway.template.evaluation.work import Work
from gateway.template.inputs import Choices, Source
from gateway.template.problems import Problem
from gateway.template.stacks.entries import entry
from gateway.template.stacks.exports import Exports
from gateway.template.stacks.nested_templates import find, literal_end
from gateway.template.stacks.parsed import ParsedTemplate
from gateway.template.stacks.pseudo_parameters import pseudo_parameters
from gateway.template.stacks.stack import NESTED, Argument, Stack
from gateway.template.stacks.stored_values import StoredValues
from gateway.template.syntax.nodes import (
    Cause,
    Field,
    Fields,
    Reference,
    TemplateError,
    Text,
    Value,
)

_MOST_STACKS: Final = 200
"""A limit, because the number of nested stacks can double at each level."""


class Deployment:
    """The stacks of some templates.

    A template that another one nests belongs to the nested stack; every other one is a stack of its
    own. If there is only one such stack, its name is empty, and its resources' names are their
    logical ids.
    """

    def __init__(self, sources: Sequence[Source], choices: Choices) -> None:
        self.work = Work()
        self._choices = choices
        self._sources = sources
        self._templates: dict[Path, ParsedTemplate] = {}
        for source in sources:
            self._parsed(source)
        self._nested: dict[str, Stack | None] = {}
        self._exports: Exports | None = None
        self._stored: StoredValues | None = None
        self._names: dict[Stack, str] = {}
        """The command line's name of each stack that is not nested."""
        self.roots = self._roots()

    @property
    def problems(self) -> list[Problem]:
        """The problems of all templates, in the templates' order."""
        return [each for template in self._templates.values() for each in template.problems.found]

    @property
    def is_readable(self) -> bool:
        """Whether every template could be parsed."""
        return all(template.is_readable for template in self._templates.values())

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings about the templates, as lines."""
        return tuple(
            line for template in self._templates.values() for line in template.problems.warnings
        )

    @property
    def first(self) -> ParsedTemplate:
        """The template to which problems of all templates together are attributed."""
        return next(iter(self._templates.values()))

    def stacks(self) -> Iterator[Stack]:
        """Every stack, nested ones after those that nest them."""
        waiting = list(self.roots)
        for count, stack in enumerate(waiting, 1):
            if count > _MOST_STACKS:
                stack.template.problems.add(1, "", f"there are more than {_MOST_STACKS} stacks")
                return
            yield stack
            for logical_id, resource in stack.of_kind(NESTED):
                nested = self.nested(stack, logical_id)
                if nested is not None:
                    waiting.append(nested)
                else:
                    stack.template.problems.warn(
                        resource.line,
                        logical_id,
                        "the template of this nested stack is not at hand, and what it has of "
                        "load balancers is left out: "
                        f"--template {stack.qualified(logical_id)}=FILE",
                    )

    def imported(self, name: str, line: int) -> Value:
        """The value of ``Fn::ImportValue``. Raises TemplateError, with ``line``."""
        said = self._said(f"import:{name}", line)
        return self.check_exports().value(name, line) if said is None else said

    def check_exports(self) -> Exports:
        """The exports of all stacks. Two exports with one name are reported as a problem."""
        if self._exports is None:
            # Names of exports are evaluated before any export exists, so they cannot import each
            # other.
            self._exports = Exports(())
            self._exports = Exports(self.stacks())
        return self._exports

    def looked_up(self, reference: str, line: int) -> Value:
        """The value of a dynamic reference. Raises TemplateError, with ``line``."""
        service, _, name = reference.partition(":")
        keys = [reference, reference.rstrip(":")]
        if service in ("ssm", "ssm-secure"):
            path, colon, version = name.rpartition(":")
            name = path if colon and version.isdecimal() else name
            keys.append(f"{service}:{name}")
        for key in keys:
            said = self._said(key, line)
            if said is not None:
                return said
        if service == "ssm":
            if self._stored is None:
                self._stored = StoredValues(())
                self._stored = StoredValues(self.stacks())
            value = self._stored.value(name, line)
            if value is not None:
                return value
        raise TemplateError(
            line,
            f"AWS looks up {reference} when it deploys: --resolve {keys[-1]}=VALUE",
            Cause.UNKNOWN,
        )

    def known(self, what: str) -> str | None:
        """The value that ``--resolve`` sets for ``what``, or None."""
        return self._choices.known.get(what)

    def nested(self, parent: Stack, logical_id: str) -> Stack | None:
        """The nested stack of a resource; None if its template is missing."""
        name = parent.qualified(logical_id)
        if name not in self._nested:
            self._nested[name] = self._nest(parent, logical_id, name)
        return self._nested[name]

    def source_name(self, root: Stack) -> str:
        """The command line's name of a stack that is not nested."""
        return self._names[root]

    def _parsed(self, source: Source) -> ParsedTemplate:
        path = source.path.resolve()
        if path not in self._templates:
            self._templates[path] = ParsedTemplate(source)
        return self._templates[path]

    def _roots(self) -> list[Stack]:
        nested = {
            path for template in [*self._templates.values()] for path in self._nests(template)
        }
        roots = [source for source in self._sources if source.path.resolve() not in nested]
        # If templates nest each other in a circle, all are nested, and one must be the root.
        roots = roots or list(self._sources[:1])
        alone = len(roots) == 1
        made: list[Stack] = []
        for source in roots:
            if source.name in self._names.values():
                self._parsed(source).problems.add(
                    1, "", f"two templates are called {source.name!r}: --template NAME=FILE"
                )
            stack = Stack(
                self._parsed(source),
                "" if alone else source.name,
                self,
                self._argument(source.name),
                pseudo_parameters(
                    "local" if alone and not source.named else source.name,
                    self._pseudo(source.name),
                ),
            )
            self._names[stack] = source.name
            made.append(stack)
        return made

    def _nests(self, template: ParsedTemplate) -> Iterator[Path]:
        """The files of the stacks that a template nests, regardless of conditions."""
        resources = template.section("Resources")
        for logical_id, field in resources.entries.items() if resources else ():
            if not isinstance(field.value, Fields):
                continue
            kind = field.value.entries.get("Type")
            if kind and isinstance(kind.value, Text) and kind.value.value in NESTED:
                found = self._file(template, logical_id, field.value, None)
                if found is not None and found.resolve() != template.path.resolve():
                    yield found.resolve()

    def _file(
        self, template: ParsedTemplate, logical_id: str, resource: Fields, stack: Stack | None
    ) -> Path | None:
        """The template file of a nested stack; ``stack`` is the one that nests it, if already
        known."""
        given = [its.path for its in self._templates.values()]
        nodes = [
            entry(resource, "Metadata", "aws:asset:path"),
            entry(resource, "Properties", "TemplateURL"),
            entry(resource, "Properties", "Location"),
        ]
        for node in nodes:
            if node is None:
                continue
            location = literal_end(node)
            if stack is not None:
                try:
                    location = stack.evaluation.text(node).value
                except TemplateError:
                    pass
            found = find(location, template.path, given)
            if found is not None:
                return found
        names = {logical_id, f"{template.source.name}.{logical_id}"}
        if stack is not None:
            names.add(stack.qualified(logical_id))
        return next(
            (source.path for source in self._sources if source.named and source.name in names), None
        )

    def _nest(self, parent: Stack, logical_id: str, name: str) -> Stack | None:
        field = parent.resources[logical_id]
        if not isinstance(field.value, Fields):
            return None
        path = self._file(parent.template, logical_id, field.value, parent)
        if path is None:
            return None
        template = self._parsed(Source(name, path))
        above: Stack | None = parent
        while above is not None:
            if above.template is template:
                parent.template.problems.add(field.line, logical_id, "this stack nests itself")
                return None
            above = above.parent
        given = entry(field.value, "Properties", "Parameters")
        arguments: Mapping[str, Field] = given.entries if isinstance(given, Fields) else {}
        declared = (template.section("Parameters") or Fields({}, 1)).entries
        for parameter, argument in arguments.items():
            if parameter not in declared:
                parent.template.problems.add(
                    argument.line, logical_id, f"{template.path} has no parameter {parameter}"
                )
        return Stack(
            template,
            name,
            self,
            lambda parameter: parent.argument_in(arguments, parameter),
            pseudo_parameters(
                f"{parent.pseudo['AWS::StackName']}-{logical_id}",
                {
                    key: text
                    for key, text in parent.pseudo.items()
                    if key not in ("AWS::StackName", "AWS::StackId")
                },
            ),
            parent,
        )

    def _argument(self, name: str) -> Argument:
        """A function that returns the given values of parameters for a stack that is not nested."""

        def argument(parameter: str) -> Value | None:
            for key in (f"{name}.{parameter}", parameter):
                said = self._choices.ties.get(key)
                if said is not None:
                    return Reference(said, None, 0)
                text = self._choices.parameters.get(key)
                if text is not None:
                    return Text(text, 0)
            return None

        return argument

    def _pseudo(self, name: str) -> Mapping[str, str]:
        """The given values of pseudo parameters for the template with that name."""
        given = self._choices.parameters
        common = {key: text for key, text in given.items() if key.startswith("AWS::")}
        own = {
            key.removeprefix(f"{name}."): text
            for key, text in given.items()
            if key.startswith(f"{name}.AWS::")
        }
        return common | own

    def _said(self, what: str, line: int) -> Value | None:
        tied = self._choices.ties.get(what)
        if tied is not None:
            return Reference(tied, None, line)
        known = self._choices.known.get(what)
        return None if known is None else Text(known, line)
