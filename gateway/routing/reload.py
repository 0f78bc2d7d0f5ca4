"""Checks whether new routing can be applied to a running gateway, all or nothing."""

import dataclasses
from collections.abc import Mapping, Sequence

from gateway.routing.rules import Forward, Rule, Rules, WeightedGroup
from gateway.routing.settings import ListenerSettings, Routing


class RefusedReloadError(Exception):
    """The routing cannot be applied while the gateway runs; ``lines`` say why."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class RefusedWeightsError(ValueError):
    """A rule cannot have these weights."""


def check_reload(current: Sequence[ListenerSettings], routing: Routing) -> None:
    """Raises RefusedReloadError if ``routing`` needs other sockets than the open ones."""
    running = {settings.logical_id: settings for settings in current}
    wanted = {settings.logical_id: settings for settings in routing.listeners}
    lines = [f"listener {name} is new: restart the gateway" for name in wanted.keys() - running]
    lines += [f"listener {name} is gone: restart the gateway" for name in running.keys() - wanted]
    for name in wanted.keys() & running.keys():
        old, new = running[name], wanted[name]
        for part in ("port", "certificates", "tls_versions", "ciphers"):
            if getattr(old, part) != getattr(new, part):
                lines.append(f"listener {name}: {part} cannot change while the gateway runs")
    if lines:
        raise RefusedReloadError(sorted(lines))


def with_weights(
    listener: ListenerSettings, name: str, weights: Mapping[str, int]
) -> ListenerSettings | None:
    """The listener with other weights in the forward action of the rule with the logical id
    ``name``, or of its default rule if ``name`` is the listener's. None if it has no such rule.

    Raises RefusedWeightsError if that rule does not forward to each of the groups.
    """
    changed: list[Rule] = []
    found = False
    for rule in listener.rules:
        if (rule.logical_id or listener.logical_id) == name:
            found = True
            changed.append(dataclasses.replace(rule, action=_weighted(name, rule, weights)))
        else:
            changed.append(rule)
    if not found:
        return None
    *rules, default = changed
    return dataclasses.replace(listener, rules=Rules(rules, default.action, default.sign_in))


def _weighted(name: str, rule: Rule, weights: Mapping[str, int]) -> Forward:
    action = rule.action
    if not isinstance(action, Forward):
        raise RefusedWeightsError(f"{name} does not forward")
    known = {group.target_group for group in action.groups}
    for group in weights:
        if group not in known:
            raise RefusedWeightsError(
                f"{name} does not forward to {group}, only to {', '.join(sorted(known))}"
            )
    for group, weight in weights.items():
        if not 0 <= weight <= 999:
            raise RefusedWeightsError(f"the weight of {group} is 0 to 999, not {weight}")
    groups = tuple(
        WeightedGroup(group.target_group, weights.get(group.target_group, group.weight))
        for group in action.groups
    )
    return Forward(groups, action.stickiness)
