"""Checks combinations of resources that are each valid alone, but that AWS refuses together.

Limits: "Quotas for your Application Load Balancers" and the API reference of version 2015-12-01.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from gateway.routing.rules import Forward
from gateway.routing.settings import ListenerSettings, TargetGroupSettings
from gateway.template.resources.properties import Properties

_MAX_LISTENERS: Final = 50
_MAX_RULES: Final = 100
_MAX_TARGET_GROUPS: Final = 100

Resources = Mapping[str, Properties]
"""Every routing resource's properties, by logical id."""


def check_together(
    resources: Resources,
    load_balancers: Mapping[str, Sequence[ListenerSettings]],
    groups: Mapping[str, TargetGroupSettings],
) -> None:
    """Reports every problem between load balancers, listeners, rules and target groups. Listeners
    whose load balancer could not be read have the key ""."""
    for load_balancer, listeners in load_balancers.items():
        if load_balancer:
            _check_quotas(resources, load_balancer, listeners)
            _check_families(resources, load_balancer, listeners, groups)
        _check_ports(resources, listeners)
        _check_priorities(resources, listeners)
        _check_stickiness(resources, listeners, groups)
    _check_associations(resources, load_balancers)


def groups_of(listeners: Iterable[ListenerSettings]) -> Iterator[str]:
    """The target groups that the listeners forward to."""
    for listener in listeners:
        for rule in listener.rules:
            if isinstance(rule.action, Forward):
                yield from (weighted.target_group for weighted in rule.action.groups)


def _check_quotas(
    resources: Resources, load_balancer: str, listeners: Sequence[ListenerSettings]
) -> None:
    rules = [rule.logical_id for listener in listeners for rule in listener.rules]
    for kind, most, names in (
        ("listeners", _MAX_LISTENERS, {listener.logical_id for listener in listeners}),
        ("rules", _MAX_RULES, {name for name in rules if name}),
        ("target groups", _MAX_TARGET_GROUPS, set(groups_of(listeners))),
    ):
        if len(names) > most:
            late = [its for name, its in resources.items() if name in names][most]
            late.problem(
                late.line,
                f"{load_balancer} has {len(names)} {kind}, and a load balancer has at most {most}",
            )


def _check_families(
    resources: Resources,
    load_balancer: str,
    listeners: Sequence[ListenerSettings],
    groups: Mapping[str, TargetGroupSettings],
) -> None:
    """Only a load balancer with IPv6 addresses reaches targets over IPv6."""
    if resources[load_balancer].text("IpAddressType", "ipv4") != "ipv4":
        return
    for group in set(groups_of(listeners)):
        if groups[group].ipv6:
            properties = resources[group]
            properties.problem(
                properties.line_of("IpAddressType"),
                f"an ipv6 target group needs a dualstack load balancer, and {load_balancer} is "
                "ipv4",
            )


def _check_ports(resources: Resources, listeners: Sequence[ListenerSettings]) -> None:
    owners: dict[int, str] = {}
    for listener in listeners:
        if listener.port in owners:
            properties = resources[listener.logical_id]
            properties.problem(
                properties.line_of("Port"),
                f"port {listener.port} is already that of {owners[listener.port]}",
            )
        owners.setdefault(listener.port, listener.logical_id)


def _check_priorities(resources: Resources, listeners: Sequence[ListenerSettings]) -> None:
    for listener in listeners:
        owners: dict[int, str] = {}
        for rule in listener.rules:
            if not rule.logical_id:
                continue
            properties = resources[rule.logical_id]
            priority = properties.integer("Priority", 1, 50000, 0)
            if priority in owners:
                properties.problem(
                    properties.line_of("Priority"),
                    f"priority {priority} is already that of {owners[priority]}",
                )
            if priority:
                owners.setdefault(priority, rule.logical_id)


def _check_stickiness(
    resources: Resources,
    listeners: Sequence[ListenerSettings],
    groups: Mapping[str, TargetGroupSettings],
) -> None:
    for listener in listeners:
        for rule in listener.rules:
            if isinstance(rule.action, Forward) and len(rule.action.groups) > 1:
                owner = resources[rule.logical_id or listener.logical_id]
                _check_sticky_groups(owner, rule.action, groups)


def _check_sticky_groups(
    owner: Properties, action: Forward, groups: Mapping[str, TargetGroupSettings]
) -> None:
    line = owner.line_of("Actions" if "Actions" in owner.names() else "DefaultActions")
    for weighted in action.groups:
        stickiness = groups[weighted.target_group].stickiness
        if stickiness is None:
            continue
        if stickiness.app_cookie is not None:
            owner.problem(
                line,
                f"{weighted.target_group} is sticky by app_cookie, which does not work with "
                "several target groups",
            )
        elif action.stickiness is None:
            owner.problem(
                line,
                f"{weighted.target_group} is sticky, so TargetGroupStickinessConfig has to be "
                "enabled",
            )


def _check_associations(
    resources: Resources, load_balancers: Mapping[str, Sequence[ListenerSettings]]
) -> None:
    """A target group belongs to one load balancer (``TargetGroupAssociationLimit``)."""
    owners: dict[str, str] = {}
    for load_balancer, listeners in load_balancers.items():
        for group in groups_of(listeners):
            owner = owners.setdefault(group, load_balancer)
            if owner != load_balancer:
                properties = resources[group]
                properties.problem(
                    properties.line,
                    f"{owner} and {load_balancer} both forward to it, and a target group "
                    "belongs to one load balancer",
                )
