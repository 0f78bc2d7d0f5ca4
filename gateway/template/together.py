"""Builds one load balancer from the resources of all stacks."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Final

from gateway.routing.rules import Rule
from gateway.routing.settings import (
    ListenerSettings,
    LoadBalancerSettings,
    Routing,
    TargetGroupSettings,
)
from gateway.template.inputs import Choices
from gateway.template.names import UnknownNameError, full_name
from gateway.template.resources.checks import check_together, groups_of
from gateway.template.resources.collection import Collection, Place
from gateway.template.resources.kinds import (
    FAMILY,
    LISTENER,
    LISTENER_CERTIFICATE,
    LISTENER_RULE,
    LOAD_BALANCER,
    TARGET_GROUP,
    refers_to,
)
from gateway.template.resources.listeners import (
    read_certificates,
    read_listener,
    read_load_balancer,
)
from gateway.template.resources.rules import read_rule
from gateway.template.resources.target_groups import is_for_others, read_target_group
from gateway.template.stacks.deployment import Deployment
from gateway.template.stacks.pseudo_parameters import NAMES
from gateway.template.syntax.nodes import Cause

_OTHER_TYPES: Final = ("network", "gateway")


def read_together(
    deployment: Deployment, choices: Choices
) -> tuple[Routing | None, Mapping[str, Place]]:
    """The routing of the load balancer to run, and the place of each resource.

    Problems are added to the deployment's; without a load balancer to run, the routing is None.
    """
    collection = Collection()
    if not deployment.is_readable:
        return None, collection.places
    alone = len(deployment.roots) == 1
    for stack in deployment.stacks():
        if Collection.concerns(stack) or (alone and stack in deployment.roots):
            stack.check_parameters()
        collection.add(stack, choices.ties)
    _check_names(deployment, choices, collection)
    deployment.check_exports()
    routing = _Reader(deployment, collection, choices).read()
    return routing, collection.places


def _check_names(deployment: Deployment, choices: Choices, collection: Collection) -> None:
    """Reports parameters that no template has, and ties to resources that do not exist."""
    known = {
        key
        for stack in deployment.roots
        for name in (*stack.declared, *NAMES)
        for key in (name, f"{deployment.source_name(stack)}.{name}")
    }
    first = deployment.first
    section = first.section("Parameters")
    line = section.line if section else 1
    for name in choices.parameters:
        if name not in known:
            first.problems.add(line, name, "there is no such parameter")
    for name, resource in choices.ties.items():
        if ":" not in name and name not in known:
            first.problems.add(line, name, "there is no such parameter to tie")
        if resource not in collection.kinds:
            first.problems.add(
                1,
                "",
                f"--tie {name}={resource}: there is no such load balancer, listener or target "
                f"group, only {', '.join(collection.kinds) or 'none'}",
                Cause.UNKNOWN,
            )


class _Reader:
    def __init__(self, deployment: Deployment, collection: Collection, choices: Choices) -> None:
        self._problems = deployment.first.problems
        self._collection = collection
        self._kinds = collection.kinds
        self._properties = collection.properties
        self._choices = choices

    def read(self) -> Routing | None:
        """The routing; None if there is no load balancer to run."""
        left_out = self._leave_out_other_types()
        load_balancer_id = self._the_load_balancer(left_out)
        rules: dict[str, list[Rule]] = {}
        for name in self._collection.of(LISTENER_RULE):
            properties = self._properties[name]
            listener = refers_to(properties, "ListenerArn", LISTENER, self._kinds) or ""
            rules.setdefault(listener, []).append(
                read_rule(
                    name,
                    properties,
                    self._kinds,
                    self._protocol_of(listener),
                    identities=self._choices.identities,
                )
            )
        balancers = {
            name: read_load_balancer(name, self._properties[name])
            for name in self._collection.of(LOAD_BALANCER)
        }
        listeners = self._listeners(rules)
        groups = self._groups(
            {group for of_one in listeners.values() for group in groups_of(of_one)}
        )
        check_together(self._properties, listeners, groups)
        if load_balancer_id is None:
            return None
        return self._routing(balancers[load_balancer_id], listeners, groups)

    def _routing(
        self,
        load_balancer: LoadBalancerSettings,
        listeners: dict[str, list[ListenerSettings]],
        groups: Mapping[str, TargetGroupSettings],
    ) -> Routing:
        served = tuple(listeners.pop(load_balancer.logical_id, ()))
        if not served:
            self._problems.add(1, "", f"there is no {FAMILY}{LISTENER} to run", Cause.UNKNOWN)
        elsewhere = {group for of_one in listeners.values() for group in groups_of(of_one)}
        return Routing(
            load_balancer,
            served,
            {name: group for name, group in groups.items() if name not in elsewhere},
        )

    def _groups(self, used: set[str]) -> Mapping[str, TargetGroupSettings]:
        groups = {
            name: read_target_group(name, self._properties[name])
            for name in self._collection.of(TARGET_GROUP)
            if name in used or not is_for_others(self._properties[name])
        }
        for given, port in self._choices.health_check_ports.items():
            try:
                name = full_name(given, groups, "target group")
            except UnknownNameError as error:
                self._problems.add(1, "--health-check-port", str(error))
                continue
            check = dataclasses.replace(groups[name].health_check, port=port)
            groups[name] = dataclasses.replace(groups[name], health_check=check)
        return groups

    def _listeners(self, rules: Mapping[str, list[Rule]]) -> dict[str, list[ListenerSettings]]:
        """Each load balancer's listeners."""
        found: dict[str, list[ListenerSettings]] = {}
        more = self._certificates()
        for name in self._collection.of(LISTENER):
            properties = self._properties[name]
            owner = refers_to(properties, "LoadBalancerArn", LOAD_BALANCER, self._kinds) or ""
            listener = read_listener(
                name,
                properties,
                rules.get(name, []),
                self._kinds,
                more.get(name, ()),
                identities=self._choices.identities,
            )
            found.setdefault(owner, []).append(listener)
        return found

    def _certificates(self) -> Mapping[str, tuple[str, ...]]:
        """Each listener's certificates that are resources of their own."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self._collection.of(LISTENER_CERTIFICATE):
            properties = self._properties[name]
            listener = refers_to(properties, "ListenerArn", LISTENER, self._kinds) or ""
            if listener and self._protocol_of(listener) != "HTTPS":
                properties.problem(properties.line, f"{listener} is not an HTTPS listener")
            found[listener] = found.get(listener, ()) + read_certificates(properties)
            properties.close()
        return found

    def _protocol_of(self, listener: str) -> str:
        properties = self._properties.get(listener)
        return (properties.text("Protocol") or "" if properties else "").upper()

    def _leave_out_other_types(self) -> list[str]:
        """Removes network and gateway load balancers with their resources, and returns their
        names."""
        others = [
            name
            for name in self._collection.of(LOAD_BALANCER)
            if (self._properties[name].text("Type") or "").lower() in _OTHER_TYPES
        ]
        listeners = list(self._belonging(LISTENER, "LoadBalancerArn", others))
        for kind in (LISTENER_RULE, LISTENER_CERTIFICATE):
            for name in list(self._belonging(kind, "ListenerArn", listeners)):
                self._collection.leave_out(name)
        for name in (*listeners, *others):
            self._collection.leave_out(name)
        return others

    def _belonging(self, kind: str, by: str, owners: list[str]) -> Iterator[str]:
        for name in self._collection.of(kind) if owners else ():
            if self._properties[name].resource(by) in owners:
                yield name

    def _the_load_balancer(self, left_out: list[str]) -> str | None:
        found = self._collection.of(LOAD_BALANCER)
        wanted = self._choices.load_balancer
        if wanted is not None:
            try:
                return full_name(wanted, found, f"{FAMILY}{LOAD_BALANCER}")
            except UnknownNameError as error:
                self._problems.add(1, "", str(error), Cause.UNKNOWN)
                return None
        if not found:
            other = f": {', '.join(left_out)} is of another type" if left_out else ""
            self._problems.add(
                1, "", f"there is no {FAMILY}{LOAD_BALANCER} to run{other}", Cause.HERE
            )
            return None
        facing = [name for name in found if self._is_internet_facing(name)]
        candidates = facing or found
        for name in candidates[1:]:
            properties = self._properties[name]
            properties.problem(
                properties.line,
                f"{candidates[0]} and this {LOAD_BALANCER} could both be run, and only one can: "
                "--load-balancer says which",
                Cause.UNKNOWN,
            )
        return candidates[0]

    def _is_internet_facing(self, load_balancer: str) -> bool:
        properties = self._properties[load_balancer]
        return properties.only("Scheme", "internet-facing", "internal") == "internet-facing"
