"""From a CloudFormation template to the routing that it describes, or to all that is wrong with it.

Of a template's resources only load balancers, listeners, their rules and target groups are
routing; the others are not looked at. In those four nothing is skipped silently: a property is
implemented, or it has no meaning on a laptop and is listed with the reason, or it is refused.
Limits: "Quotas for your Application Load Balancers" and the API reference of version 2015-12-01.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway import attributes
from gateway.intrinsics import Evaluation
from gateway.parameters import ParameterValue, parameter_value, undeclared
from gateway.properties import Problems, Properties, as_fields
from gateway.resource_kinds import (
    FAMILY,
    LISTENER,
    LISTENER_RULE,
    LOAD_BALANCER,
    NAMED_MEANINGLESS,
    TARGET_GROUP,
    refers_to,
)
from gateway.rule_reader import read_action, read_rule
from gateway.rules import Action, Rules
from gateway.settings import LoadBalancerSettings, Routing
from gateway.target_group_reader import read_target_group
from gateway.template_nodes import Fields, TemplateError, Text, parse

_REFUSED_SECTIONS: Final = ("Transform", "Rules")

_LOAD_BALANCER_MEANINGLESS: Final = {
    **NAMED_MEANINGLESS,
    "IpAddressType": "--bind says which addresses are listened on",
    "Scheme": "--bind says who can reach the gateway",
    "SecurityGroups": "a laptop has no security groups",
    "Subnets": "a laptop has no subnets",
    "SubnetMappings": "a laptop has no subnets",
}
_MAX_RULES: Final = 100


class RefusedTemplateError(Exception):
    """The template cannot be run; ``lines`` say everything that is in the way."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def load_routing(path: Path, parameters: Mapping[str, str]) -> Routing:
    """The routing that the template at ``path`` describes, given its parameters' values.

    Raises RefusedTemplateError, and OSError or UnicodeDecodeError for a file that cannot be read.
    """
    return read_routing(path.read_text(encoding="utf-8"), parameters, str(path))


def read_routing(text: str, parameters: Mapping[str, str], path: str) -> Routing:
    """Like load_routing, for a template's text; ``path`` is what messages call it."""
    problems = Problems()
    try:
        template = parse(text)
    except TemplateError as error:
        problems.add(error.line, "", error.text)
        raise RefusedTemplateError(problems.lines(path)) from error
    routing = _Reader(template, parameters, problems).read()
    if problems or routing is None:
        raise RefusedTemplateError(problems.lines(path))
    return routing


class _Reader:
    def __init__(self, template: Fields, parameters: Mapping[str, str], problems: Problems) -> None:
        self._template = template
        self._problems = problems
        sections = template.entries
        for name in _REFUSED_SECTIONS:
            if name in sections:
                problems.add(sections[name].line, name, "this section is not implemented")
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

    def read(self) -> Routing | None:
        listener_id = self._the_only(LISTENER)
        load_balancer_id = self._the_only(LOAD_BALANCER)
        groups = {
            logical_id: read_target_group(logical_id, self._properties[logical_id])
            for logical_id in self._of(TARGET_GROUP)
        }
        rules = [
            read_rule(self._properties[logical_id], self._kinds)
            for logical_id in self._of(LISTENER_RULE)
        ]
        self._check_priorities()
        if listener_id is None or load_balancer_id is None:
            return None
        port, default = self._listener(self._properties[listener_id])
        return Routing(
            self._load_balancer(load_balancer_id, self._properties[load_balancer_id]),
            port,
            Rules(rules, default),
            groups,
        )

    def _of(self, kind: str) -> list[str]:
        return [logical_id for logical_id, its in self._kinds.items() if its == kind]

    def _the_only(self, kind: str) -> str | None:
        found = self._of(kind)
        if not found:
            self._problems.add(1, "", f"there is no {FAMILY}{kind} to run")
            return None
        for logical_id in found[1:]:
            self._problems.add(
                self._properties[logical_id].line,
                logical_id,
                f"a second {kind} is not implemented; the first is {found[0]}",
            )
        return found[0]

    def _load_balancer(self, logical_id: str, properties: Properties) -> LoadBalancerSettings:
        properties.only("Type", "application")
        numbers = attributes.read_attributes(
            properties, "LoadBalancerAttributes", attributes.LOAD_BALANCER
        )
        properties.close(_LOAD_BALANCER_MEANINGLESS)
        return LoadBalancerSettings(
            logical_id,
            idle_timeout=numbers["idle_timeout.timeout_seconds"],
            client_keep_alive=numbers["client_keep_alive.seconds"],
        )

    def _listener(self, properties: Properties) -> tuple[int, Action]:
        refers_to(properties, "LoadBalancerArn", LOAD_BALANCER, self._kinds)
        properties.only("Protocol", "HTTP")
        if "Port" not in properties.names():
            properties.problem(properties.line, "Port is needed")
        port = properties.integer("Port", 1, 65535, 80)
        action = read_action(properties, "DefaultActions", self._kinds)
        attributes.read_attributes(properties, "ListenerAttributes", attributes.LISTENER)
        properties.close()
        return port, action

    def _check_priorities(self) -> None:
        rules = self._of(LISTENER_RULE)
        if len(rules) > _MAX_RULES:
            late = self._properties[rules[_MAX_RULES]]
            late.problem(late.line, f"a load balancer has at most {_MAX_RULES} rules")
        owners: dict[int, str] = {}
        for logical_id in rules:
            properties = self._properties[logical_id]
            priority = properties.integer("Priority", 1, 50000, 0)
            if priority == 0:
                continue
            if priority in owners:
                properties.problem(
                    properties.line_of("Priority"),
                    f"priority {priority} is already that of {owners[priority]}",
                )
            owners.setdefault(priority, logical_id)
