"""From a CloudFormation template to the routing that it describes, or to all that is wrong with it.

Of a template's resources only load balancers, listeners, their rules and target groups are
routing; the others are not looked at. In those four nothing is skipped silently: a property is
implemented, or it has no meaning on a laptop and is listed with the reason, or it is refused.
Of several load balancers one is run, the internet-facing one or the one that is asked for; what
belongs to the others is checked likewise and then left out.
"""

from collections.abc import Mapping
from pathlib import Path

from gateway.routing.rules import Rule
from gateway.routing.settings import ListenerSettings, Routing
from gateway.template.checks import check_together, groups_of
from gateway.template.intrinsics import Evaluation
from gateway.template.parameters import ParameterValue, parameter_value, undeclared
from gateway.template.resources.kinds import (
    FAMILY,
    LISTENER,
    LISTENER_RULE,
    LOAD_BALANCER,
    TARGET_GROUP,
    refers_to,
)
from gateway.template.resources.listeners import read_listener, read_load_balancer
from gateway.template.resources.properties import Problems, Properties, as_fields
from gateway.template.resources.rules import read_rule
from gateway.template.resources.target_groups import read_target_group
from gateway.template.syntax.nodes import Fields, TemplateError, Text
from gateway.template.syntax.parser import parse


class RefusedTemplateError(Exception):
    """The template cannot be run; ``lines`` say everything that is in the way."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def load_routing(
    path: Path, parameters: Mapping[str, str], load_balancer: str | None = None
) -> Routing:
    """The routing that the template at ``path`` describes, given its parameters' values.

    ``load_balancer`` is the logical id of the one to run; None: the one that is internet-facing.
    Raises RefusedTemplateError, and OSError or UnicodeDecodeError for a file that cannot be read.
    """
    return read_routing(path.read_text(encoding="utf-8"), parameters, str(path), load_balancer)


def read_routing(
    text: str, parameters: Mapping[str, str], path: str, load_balancer: str | None = None
) -> Routing:
    """Like load_routing, for a template's text; ``path`` is what messages call it."""
    problems = Problems()
    try:
        template = parse(text)
    except TemplateError as error:
        problems.add(error.line, "", error.text)
        raise RefusedTemplateError(problems.lines(path)) from error
    routing = _Reader(template, parameters, problems).read(load_balancer)
    if problems or routing is None:
        raise RefusedTemplateError(problems.lines(path))
    return routing


class _Reader:
    def __init__(self, template: Fields, parameters: Mapping[str, str], problems: Problems) -> None:
        self._template = template
        self._problems = problems
        sections = template.entries
        # It changes what the template says. Rules, which this skips, only check parameters.
        if "Transform" in sections:
            problems.add(sections["Transform"].line, "Transform", "this section is not implemented")
        resources = as_fields(sections.get("Resources")) or Fields({}, template.line)
        self._evaluation = Evaluation(
            self._parameters(parameters),
            as_fields(sections.get("Mappings")),
            as_fields(sections.get("Conditions")),
            resources,
        )
        self._kinds: dict[str, str] = {}
        self._properties: dict[str, Properties] = {}
        for logical_id, field in resources.entries.items():
            if isinstance(field.value, Fields):
                self._add(logical_id, field.value)
            else:
                problems.add(field.line, logical_id, "a resource is a mapping")

    def _parameters(self, given: Mapping[str, str]) -> dict[str, ParameterValue]:
        declared = as_fields(self._template.entries.get("Parameters")) or Fields({}, 1)
        for name in undeclared(declared.entries, given):
            self._problems.add(declared.line, name, "there is no such parameter")
        values: dict[str, ParameterValue] = {}
        for name, field in declared.entries.items():
            # A parameter without a valid value still has a name, so that only it is complained of.
            values[name] = ""
            if not isinstance(field.value, Fields):
                self._problems.add(field.line, name, "a parameter is a mapping")
                continue
            declaration = Fields(field.value.entries, field.line)
            try:
                values[name] = parameter_value(declaration, given.get(name))
            except TemplateError as error:
                self._problems.add(error.line, name, error.text)
        return values

    def _add(self, logical_id: str, resource: Fields) -> None:
        kind = resource.entries.get("Type")
        if kind is None or not isinstance(kind.value, Text):
            self._problems.add(resource.line, logical_id, "a resource needs a Type")
            return
        if not kind.value.value.startswith(FAMILY):
            return
        name = kind.value.value.removeprefix(FAMILY)
        if name not in (LOAD_BALANCER, LISTENER, LISTENER_RULE, TARGET_GROUP):
            self._problems.add(kind.line, logical_id, f"{kind.value.value} is not implemented")
            return
        condition = resource.entries.get("Condition")
        if condition is not None:
            name_of = condition.value.value if isinstance(condition.value, Text) else ""
            try:
                if not self._evaluation.condition(name_of, condition.line):
                    return
            except TemplateError as error:
                self._problems.add(error.line, logical_id, error.text)
        self._kinds[logical_id] = name
        properties = as_fields(resource.entries.get("Properties")) or Fields({}, resource.line)
        self._properties[logical_id] = Properties(
            properties, logical_id, self._evaluation, self._problems
        )

    def read(self, load_balancer: str | None) -> Routing | None:
        """The routing of that load balancer; None when there is none to run."""
        load_balancer_id = self._the_load_balancer(load_balancer)
        groups = {
            logical_id: read_target_group(logical_id, self._properties[logical_id])
            for logical_id in self._of(TARGET_GROUP)
        }
        rules: dict[str, list[Rule]] = {}
        for logical_id in self._of(LISTENER_RULE):
            properties = self._properties[logical_id]
            listener = refers_to(properties, "ListenerArn", LISTENER, self._kinds) or ""
            rules.setdefault(listener, []).append(
                read_rule(logical_id, properties, self._kinds, self._protocol_of(listener))
            )
        balancers = {
            logical_id: read_load_balancer(logical_id, self._properties[logical_id])
            for logical_id in self._of(LOAD_BALANCER)
        }
        listeners = self._listeners(rules)
        check_together(self._properties, listeners, groups)
        if load_balancer_id is None:
            return None
        served = tuple(listeners.pop(load_balancer_id, ()))
        if not served:
            self._problems.add(1, "", f"there is no {FAMILY}{LISTENER} to run")
        elsewhere = {group for of_one in listeners.values() for group in groups_of(of_one)}
        return Routing(
            balancers[load_balancer_id],
            served,
            {name: group for name, group in groups.items() if name not in elsewhere},
        )

    def _listeners(self, rules: Mapping[str, list[Rule]]) -> dict[str, list[ListenerSettings]]:
        """Each load balancer's listeners."""
        found: dict[str, list[ListenerSettings]] = {}
        for logical_id in self._of(LISTENER):
            properties = self._properties[logical_id]
            owner = refers_to(properties, "LoadBalancerArn", LOAD_BALANCER, self._kinds) or ""
            listener = read_listener(logical_id, properties, rules.get(logical_id, []), self._kinds)
            found.setdefault(owner, []).append(listener)
        return found

    def _protocol_of(self, listener: str) -> str:
        properties = self._properties.get(listener)
        return (properties.text("Protocol") or "" if properties else "").upper()

    def _of(self, kind: str) -> list[str]:
        return [logical_id for logical_id, its in self._kinds.items() if its == kind]

    def _the_load_balancer(self, asked_for: str | None) -> str | None:
        found = self._of(LOAD_BALANCER)
        if not found:
            self._problems.add(1, "", f"there is no {FAMILY}{LOAD_BALANCER} to run")
            return None
        if asked_for is not None:
            if asked_for not in found:
                self._problems.add(
                    1, "", f"there is no {FAMILY}{LOAD_BALANCER} {asked_for!r} to run"
                )
                return None
            return asked_for
        facing = [name for name in found if self._is_internet_facing(name)]
        candidates = facing or found
        for logical_id in candidates[1:]:
            self._problems.add(
                self._properties[logical_id].line,
                logical_id,
                f"{candidates[0]} and this {LOAD_BALANCER} could both be run, and only one can: "
                "--load-balancer says which",
            )
        return candidates[0]

    def _is_internet_facing(self, load_balancer: str) -> bool:
        properties = self._properties[load_balancer]
        return properties.only("Scheme", "internet-facing", "internal") == "internet-facing"
