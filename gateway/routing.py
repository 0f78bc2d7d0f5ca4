"""From a CloudFormation template to the routing that it describes, or to all that is wrong with it.

Of a template's resources only load balancers, listeners, their rules and target groups are
routing; the others are not looked at. In those four nothing is skipped silently: a property is
implemented, or it has no meaning on a laptop and is listed here with the reason, or it is refused.
Limits: "Quotas for your Application Load Balancers" and the API reference of version 2015-12-01.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway import attributes
from gateway.intrinsics import Evaluation
from gateway.parameters import ParameterValue, parameter_value, undeclared
from gateway.properties import Problems, Properties, as_fields
from gateway.rules import Action, FixedResponse, Forward, PathPattern, Rule, Rules, WeightedGroup
from gateway.settings import (
    HealthCheckSettings,
    LoadBalancerSettings,
    Routing,
    TargetGroupSettings,
)
from gateway.template_nodes import Fields, TemplateError, Text, parse

_FAMILY: Final = "AWS::ElasticLoadBalancingV2::"
_LOAD_BALANCER: Final = "LoadBalancer"
_LISTENER: Final = "Listener"
_RULE: Final = "ListenerRule"
_TARGET_GROUP: Final = "TargetGroup"

_REFUSED_SECTIONS: Final = ("Transform", "Rules")

_NAMED: Final = {
    "Name": "nothing refers to it on a laptop",
    "Tags": "nobody is billed",
}
_LOAD_BALANCER_MEANINGLESS: Final = {
    **_NAMED,
    "IpAddressType": "--bind says which addresses are listened on",
    "Scheme": "--bind says who can reach the gateway",
    "SecurityGroups": "a laptop has no security groups",
    "Subnets": "a laptop has no subnets",
    "SubnetMappings": "a laptop has no subnets",
}
_TARGET_GROUP_MEANINGLESS: Final = {
    **_NAMED,
    "Port": "--target says each target's port",
    "TargetType": "--target says what the targets are",
    "Targets": "--target says what the targets are",
    "VpcId": "a laptop has no VPC",
}

_PATTERN: Final = re.compile(r"[A-Za-z0-9_\-.$/~\"'@:+&*?]{1,128}")
_STATUS: Final = re.compile(r"[245]\d\d")
_CODES: Final = re.compile(r"(\d{3})(?:-(\d{3}))?")
_CONTENT_TYPES: Final = (
    "text/plain",
    "text/css",
    "text/html",
    "application/javascript",
    "application/json",
)
_MAX_RULES: Final = 100
_MAX_VALUES: Final = 5
_MAX_WILDCARDS: Final = 5
_MAX_TARGET_GROUPS: Final = 5


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
        if not kind.value.value.startswith(_FAMILY):
            return
        name = kind.value.value.removeprefix(_FAMILY)
        if name not in (_LOAD_BALANCER, _LISTENER, _RULE, _TARGET_GROUP):
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
        listener_id = self._the_only(_LISTENER)
        load_balancer_id = self._the_only(_LOAD_BALANCER)
        groups = {
            logical_id: self._target_group(logical_id, self._properties[logical_id])
            for logical_id in self._of(_TARGET_GROUP)
        }
        rules = [self._rule(self._properties[logical_id]) for logical_id in self._of(_RULE)]
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
            self._problems.add(1, "", f"there is no {_FAMILY}{kind} to run")
            return None
        for logical_id in found[1:]:
            self._problems.add(
                self._properties[logical_id].line,
                logical_id,
                f"a second {kind} is not implemented; the first is {found[0]}",
            )
        return found[0]

    def _refers_to(self, properties: Properties, name: str, kind: str) -> str | None:
        reference = properties.reference(name)
        if reference is None:
            return None
        if self._kinds.get(reference.logical_id) != kind:
            properties.problem(
                properties.line_of(name), f"{name}: {reference.logical_id} is no {kind} here"
            )
            return None
        return reference.logical_id

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
        self._refers_to(properties, "LoadBalancerArn", _LOAD_BALANCER)
        properties.only("Protocol", "HTTP")
        if "Port" not in properties.names():
            properties.problem(properties.line, "Port is needed")
        port = properties.integer("Port", 1, 65535, 80)
        action = self._action(properties, "DefaultActions")
        attributes.read_attributes(properties, "ListenerAttributes", attributes.LISTENER)
        properties.close()
        return port, action

    def _rule(self, properties: Properties) -> Rule:
        self._refers_to(properties, "ListenerArn", _LISTENER)
        if "Priority" not in properties.names():
            properties.problem(properties.line, "Priority is needed")
        priority = properties.integer("Priority", 1, 50000, 1)
        conditions = properties.sections("Conditions")
        if not conditions:
            properties.problem(properties.line_of("Conditions"), "a rule needs a condition")
        read = [self._condition(condition) for condition in conditions]
        patterns = [found for found in read if found is not None]
        if len(patterns) > 1:
            properties.problem(
                conditions[1].line, "a rule has at most one condition of field 'path-pattern'"
            )
        values = [value for found in patterns for value in found.patterns]
        if len(values) > _MAX_VALUES:
            properties.problem(
                properties.line_of("Conditions"),
                f"a rule has at most {_MAX_VALUES} condition values, not {len(values)}",
            )
        wildcards = sum(value.count("*") + value.count("?") for value in values)
        if wildcards > _MAX_WILDCARDS:
            properties.problem(
                properties.line_of("Conditions"),
                f"a rule has at most {_MAX_WILDCARDS} wildcards, not {wildcards}",
            )
        action = self._action(properties, "Actions")
        properties.close()
        return Rule(priority, tuple(patterns), action)

    def _condition(self, condition: Properties) -> PathPattern | None:
        field = condition.text("Field")
        if field != "path-pattern":
            condition.problem(
                condition.line_of("Field"), f"condition field {field!r} is not implemented"
            )
            return None
        config = condition.section("PathPatternConfig")
        values = condition.texts("Values")
        if config is not None:
            if values is not None:
                condition.problem(
                    condition.line_of("Values"), "Values stands in PathPatternConfig or beside it"
                )
            values = config.texts("Values")
            config.close()
        condition.close()
        if not values:
            condition.problem(condition.line, "a path-pattern condition needs Values")
            return None
        for value in values:
            if not _PATTERN.fullmatch(value.value):
                condition.problem(
                    value.line,
                    f"path pattern {value.value!r}: 1 to 128 characters of A-Z a-z 0-9 "
                    "_-.$/~\"'@:+& and the wildcards * ?",
                )
        return PathPattern([value.value for value in values if _PATTERN.fullmatch(value.value)])

    def _check_priorities(self) -> None:
        rules = self._of(_RULE)
        if len(rules) > _MAX_RULES:
            late = self._properties[rules[_MAX_RULES]]
            late.problem(late.line, f"a load balancer has at most {_MAX_RULES} rules")
        owners: dict[str, str] = {}
        for logical_id in rules:
            properties = self._properties[logical_id]
            priority = properties.text("Priority")
            if priority is None:
                continue
            if priority in owners:
                properties.problem(
                    properties.line_of("Priority"),
                    f"priority {priority} is already that of {owners[priority]}",
                )
            owners.setdefault(priority, logical_id)

    def _action(self, properties: Properties, name: str) -> Action:
        actions = properties.sections(name)
        nothing = FixedResponse(503, "text/plain", b"")
        if len(actions) != 1:
            properties.problem(properties.line_of(name), f"{name} needs exactly one action")
            return nothing
        [action] = actions
        action.integer("Order", 1, 50000, 1)
        kind = action.text("Type")
        if kind == "forward":
            found: Action = self._forward(action)
        elif kind == "fixed-response":
            found = _fixed_response(action)
        else:
            action.problem(action.line_of("Type"), f"action type {kind!r} is not implemented")
            return nothing
        action.close()
        return found

    def _forward(self, action: Properties) -> Forward:
        config = action.section("ForwardConfig")
        if config is None:
            group = self._refers_to(action, "TargetGroupArn", _TARGET_GROUP)
            return Forward((WeightedGroup(group, 1),) if group else ())
        groups: list[WeightedGroup] = []
        entries = config.sections("TargetGroups")
        for entry in entries:
            group = self._refers_to(entry, "TargetGroupArn", _TARGET_GROUP)
            weight = entry.integer("Weight", 0, 999, 1)
            entry.close()
            if group is not None:
                groups.append(WeightedGroup(group, weight))
        if not 1 <= len(entries) <= _MAX_TARGET_GROUPS:
            config.problem(
                config.line_of("TargetGroups"),
                f"an action forwards to 1 to {_MAX_TARGET_GROUPS} target groups, "
                f"not {len(entries)}",
            )
        stickiness = config.section("TargetGroupStickinessConfig")
        if stickiness is not None:
            stickiness.only("Enabled", "false")
            stickiness.close({"DurationSeconds": "says nothing while Enabled is false"})
        config.close()
        return Forward(tuple(groups))

    def _target_group(self, logical_id: str, properties: Properties) -> TargetGroupSettings:
        properties.only("Protocol", "HTTP")
        properties.only("ProtocolVersion", "HTTP1")
        if (properties.text("TargetType") or "instance") not in ("instance", "ip"):
            properties.problem(
                properties.line_of("TargetType"),
                f"TargetType {properties.text('TargetType')!r} is not implemented",
            )
        family = properties.only("IpAddressType", "ipv4", "ipv6")
        health_check = _health_check(properties)
        numbers = attributes.read_attributes(
            properties, "TargetGroupAttributes", attributes.TARGET_GROUP
        )
        properties.close(_TARGET_GROUP_MEANINGLESS)
        return TargetGroupSettings(
            logical_id,
            ipv6=family == "ipv6",
            health_check=health_check,
            deregistration_delay=numbers["deregistration_delay.timeout_seconds"],
        )


def _health_check(properties: Properties) -> HealthCheckSettings:
    properties.only("HealthCheckEnabled", "true")
    properties.only("HealthCheckProtocol", "HTTP")
    path = properties.text("HealthCheckPath") or "/"
    if not re.fullmatch(r"/[!-~]{0,1023}", path):
        properties.problem(
            properties.line_of("HealthCheckPath"),
            "HealthCheckPath is a path of at most 1024 visible ASCII characters",
        )
    port = None
    if properties.text("HealthCheckPort", "traffic-port") != "traffic-port":
        port = properties.integer("HealthCheckPort", 1, 65535, 80)
    return HealthCheckSettings(
        path=path,
        port=port,
        interval=properties.integer("HealthCheckIntervalSeconds", 5, 300, 30),
        timeout=properties.integer("HealthCheckTimeoutSeconds", 2, 120, 5),
        healthy_threshold=properties.integer("HealthyThresholdCount", 2, 10, 5),
        unhealthy_threshold=properties.integer("UnhealthyThresholdCount", 2, 10, 2),
        matcher=_matcher(properties),
    )


def _matcher(properties: Properties) -> frozenset[int]:
    section = properties.section("Matcher")
    if section is None:
        return frozenset({200})
    text = section.text("HttpCode") or "200"
    codes: set[int] = set()
    for part in text.split(","):
        found = _CODES.fullmatch(part.strip())
        if found is None:
            codes.clear()
            break
        first, last = int(found[1]), int(found[2] or found[1])
        codes.update(range(first, last + 1))
    if not codes or not codes <= set(range(200, 500)):
        section.problem(
            section.line_of("HttpCode"),
            f"HttpCode is a list of codes or ranges from 200 to 499, not {text!r}",
        )
    section.close()
    return frozenset(codes)


def _fixed_response(action: Properties) -> FixedResponse:
    config = action.section("FixedResponseConfig")
    if config is None:
        action.problem(action.line, "a fixed-response action needs FixedResponseConfig")
        return FixedResponse(503, "text/plain", b"")
    status = config.text("StatusCode") or ""
    if not _STATUS.fullmatch(status):
        config.problem(
            config.line_of("StatusCode"), f"StatusCode is 2xx, 4xx or 5xx, not {status!r}"
        )
        status = "503"
    content_type = config.text("ContentType") or "text/plain"
    if content_type not in _CONTENT_TYPES:
        config.problem(
            config.line_of("ContentType"), f"ContentType {content_type!r} is none that AWS allows"
        )
    body = config.text("MessageBody") or ""
    if len(body) > 1024:
        config.problem(config.line_of("MessageBody"), "MessageBody has at most 1024 characters")
    config.close()
    return FixedResponse(int(status), content_type, body.encode())
