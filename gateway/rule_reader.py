"""Rules and actions, from their resources.

Limits: "Quotas for your Application Load Balancers" and the API reference of version 2015-12-01.
"""

import re
from typing import Final

from gateway.properties import Properties
from gateway.resource_kinds import LISTENER, TARGET_GROUP, Kinds, refers_to
from gateway.rules import Action, FixedResponse, Forward, PathPattern, Rule, WeightedGroup

_PATTERN: Final = re.compile(r"[A-Za-z0-9_\-.$/~\"'@:+&*?]{1,128}")
_STATUS: Final = re.compile(r"[245]\d\d")
_CONTENT_TYPES: Final = (
    "text/plain",
    "text/css",
    "text/html",
    "application/javascript",
    "application/json",
)
_MAX_VALUES: Final = 5
_MAX_WILDCARDS: Final = 5
_MAX_TARGET_GROUPS: Final = 5


def read_rule(properties: Properties, kinds: Kinds) -> Rule:
    """One AWS::ElasticLoadBalancingV2::ListenerRule."""
    refers_to(properties, "ListenerArn", LISTENER, kinds)
    if "Priority" not in properties.names():
        properties.problem(properties.line, "Priority is needed")
    priority = properties.integer("Priority", 1, 50000, 1)
    conditions = properties.sections("Conditions")
    if not conditions:
        properties.problem(properties.line_of("Conditions"), "a rule needs a condition")
    read = [_condition(condition) for condition in conditions]
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
    action = read_action(properties, "Actions", kinds)
    properties.close()
    return Rule(priority, tuple(patterns), action)


def _condition(condition: Properties) -> PathPattern | None:
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


def read_action(properties: Properties, name: str, kinds: Kinds) -> Action:
    """The one action in property ``name`` of a rule or listener."""
    actions = properties.sections(name)
    nothing = FixedResponse(503, "text/plain", b"")
    if len(actions) != 1:
        properties.problem(properties.line_of(name), f"{name} needs exactly one action")
        return nothing
    [action] = actions
    action.integer("Order", 1, 50000, 1)
    kind = action.text("Type")
    if kind == "forward":
        found: Action = _forward(action, kinds)
    elif kind == "fixed-response":
        found = _fixed_response(action)
    else:
        action.problem(action.line_of("Type"), f"action type {kind!r} is not implemented")
        return nothing
    action.close()
    return found


def _forward(action: Properties, kinds: Kinds) -> Forward:
    config = action.section("ForwardConfig")
    if config is None:
        group = refers_to(action, "TargetGroupArn", TARGET_GROUP, kinds)
        return Forward((WeightedGroup(group, 1),) if group else ())
    groups: list[WeightedGroup] = []
    entries = config.sections("TargetGroups")
    for entry in entries:
        group = refers_to(entry, "TargetGroupArn", TARGET_GROUP, kinds)
        weight = entry.integer("Weight", 0, 999, 1)
        entry.close()
        if group is not None:
            groups.append(WeightedGroup(group, weight))
    if not 1 <= len(entries) <= _MAX_TARGET_GROUPS:
        config.problem(
            config.line_of("TargetGroups"),
            f"an action forwards to 1 to {_MAX_TARGET_GROUPS} target groups, not {len(entries)}",
        )
    stickiness = config.section("TargetGroupStickinessConfig")
    if stickiness is not None:
        stickiness.only("Enabled", "false")
        stickiness.close({"DurationSeconds": "says nothing while Enabled is false"})
    config.close()
    return Forward(tuple(groups))


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
