"""Reads the actions of rules and listeners.

Limits: Action and its parts in the Elastic Load Balancing API reference, version 2015-12-01.
"""

import re
from typing import Final

from gateway.routing.redirect import Redirect
from gateway.routing.rules import Action, FixedResponse, Forward, WeightedGroup
from gateway.routing.sign_in import SignIn
from gateway.template.resources.kinds import TARGET_GROUP, Kinds, refers_to
from gateway.template.resources.properties import Properties
from gateway.template.resources.sign_in import SIGN_IN_TYPES, read_sign_in

_STATUS: Final = re.compile(r"[245]\d\d")
_CONTENT_TYPES: Final = (
    "text/plain",
    "text/css",
    "text/html",
    "application/javascript",
    "application/json",
)
_MAX_TARGET_GROUPS: Final = 5
_NOTHING: Final = FixedResponse(503, "text/plain", b"")

_REDIRECT_STATUS: Final = {"HTTP_301": 301, "HTTP_302": 302}
_KEYWORD: Final = re.compile(r"#\{([^}]*)\}?")
_KEYWORDS: Final = {
    "Protocol": ("protocol",),
    "Host": ("host",),
    "Port": ("port",),
    "Path": ("host", "port", "path"),
    "Query": ("protocol", "host", "port", "path", "query"),
}
"""The parts of the request's URL that each part of a redirect may contain."""


def read_actions(
    properties: Properties, name: str, kinds: Kinds, protocol: str, *, identities: bool
) -> tuple[SignIn | None, Action]:
    """The action in property ``name`` of a listener with that protocol, or of its rule, and the
    authenticate action before it, if any. ``identities``: whether there is a file of users."""
    actions = properties.sections(name)
    for entry in actions:
        kind = entry.text("Type")
        if kind in SIGN_IN_TYPES and not identities:
            entry.not_here(
                entry.line_of("Type"), f"action type {kind!r} is not implemented without --identity"
            )
            return None, _NOTHING
        if kind not in (*SIGN_IN_TYPES, "forward", "fixed-response", "redirect"):
            entry.not_here(entry.line_of("Type"), f"action type {kind!r} is not implemented")
            return None, _NOTHING
    if properties.failed(name):
        return None, _NOTHING
    ordered = sorted(actions, key=lambda entry: entry.integer("Order", 1, 50000, 1))
    sign_ins = [entry for entry in ordered if entry.text("Type") in SIGN_IN_TYPES]
    others = [entry for entry in ordered if entry not in sign_ins]
    if len(others) != 1:
        properties.problem(properties.line_of(name), f"{name} needs exactly one action")
        return None, _NOTHING
    [action] = others
    sign_in = None
    for entry in sign_ins:
        sign_in = read_sign_in(entry, protocol)
    if len(sign_ins) > 1 or (sign_ins and ordered[-1] is not action):
        properties.problem(
            properties.line_of(name), f"{name} has one authenticate action, before the other one"
        )
    kind = action.text("Type")
    found: Action
    if kind == "forward":
        found = _forward(action, kinds)
    elif kind == "redirect":
        found = _redirect(action, protocol)
    else:
        found = _fixed_response(action)
    action.close()
    return sign_in, found


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
    if action.has("TargetGroupArn"):
        alone = refers_to(action, "TargetGroupArn", TARGET_GROUP, kinds)
        if [group.target_group for group in groups] != [alone]:
            action.problem(
                action.line_of("TargetGroupArn"),
                "TargetGroupArn together with ForwardConfig must be its only target group",
            )
    stickiness = _group_stickiness(config)
    config.close()
    return Forward(tuple(groups), stickiness)


def _group_stickiness(config: Properties) -> int | None:
    section = config.section("TargetGroupStickinessConfig")
    if section is None:
        return None
    enabled = section.only("Enabled", "false", "true").lower() == "true"
    duration = section.integer("DurationSeconds", 1, 604800, 0)
    section.close()
    if enabled and not duration:
        section.problem(section.line, "DurationSeconds is needed: 1 to 604800")
    return duration if enabled else None


def _redirect(action: Properties, protocol: str) -> Action:
    config = action.section("RedirectConfig")
    if config is None:
        action.problem(action.line, "a redirect action needs RedirectConfig")
        return _NOTHING
    status = config.text("StatusCode") or ""
    if status not in _REDIRECT_STATUS:
        config.problem(
            config.line_of("StatusCode"), f"StatusCode is HTTP_301 or HTTP_302, not {status!r}"
        )
    own = Redirect(0)
    redirect = Redirect(
        _REDIRECT_STATUS.get(status, 302),
        protocol=_part(config, "Protocol", own.protocol, r"HTTPS?|#\{protocol\}"),
        host=_part(config, "Host", own.host, r"[!-~]{1,128}"),
        port=_part(config, "Port", own.port, r"[1-9]\d{0,4}|#\{port\}"),
        path=_part(config, "Path", own.path, r"/[!-~]{0,127}"),
        query=_part(config, "Query", own.query, r"[!-~]{0,128}"),
    )
    config.close()
    if redirect.port.isdecimal() and int(redirect.port) > 65535:
        config.problem(config.line_of("Port"), f"Port {redirect.port} is over 65535")
    if (redirect.protocol, redirect.host, redirect.port, redirect.path) == (
        own.protocol,
        own.host,
        own.port,
        own.path,
    ):
        config.problem(
            config.line, "a redirect changes the protocol, host, port or path, or it is a loop"
        )
    if protocol == "HTTPS" and redirect.protocol == "HTTP":
        config.problem(
            config.line_of("Protocol"), "HTTPS is not redirected to HTTP: AWS refuses it"
        )
    return redirect


def _part(config: Properties, name: str, default: str, allowed: str) -> str:
    value = config.text(name, default)
    if value is None:
        return default
    if not re.fullmatch(allowed, value):
        config.problem(config.line_of(name), f"{name} {value!r} cannot be redirected to")
        return default
    for keyword in _KEYWORD.findall(value):
        if keyword not in _KEYWORDS[name]:
            config.problem(config.line_of(name), f"{name} cannot contain the keyword {keyword!r}")
            return default
    return value


def _fixed_response(action: Properties) -> FixedResponse:
    config = action.section("FixedResponseConfig")
    if config is None:
        action.problem(action.line, "a fixed-response action needs FixedResponseConfig")
        return _NOTHING
    status = config.text("StatusCode") or ""
    if not _STATUS.fullmatch(status):
        config.problem(
            config.line_of("StatusCode"), f"StatusCode is 2xx, 4xx or 5xx, not {status!r}"
        )
        status = "503"
    content_type = config.text("ContentType") or "text/plain"
    if content_type not in _CONTENT_TYPES:
        config.problem(
            config.line_of("ContentType"),
            f"ContentType {content_type!r} is not one that AWS allows",
        )
    body = config.text("MessageBody") or ""
    if len(body) > 1024:
        config.problem(config.line_of("MessageBody"), "MessageBody has at most 1024 characters")
    config.close()
    return FixedResponse(int(status), content_type, body.encode())
