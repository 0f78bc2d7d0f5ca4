"""Target groups without a gateway."""

import dataclasses
from random import Random

from gateway.targets.target import Address, CheckResult, HealthReason, Target, TargetState
from gateway.targets.target_group import TargetGroup
from tests.unit.gateway.support import routing

SETTINGS = routing().target_groups["Web"]


PASSED = CheckResult(True)


FAILED = CheckResult(False, HealthReason.TIMEOUT, "Request timed out")


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def group_of(count: int, clock: Hands | None = None, **changes: object) -> TargetGroup:
    """A group with that many healthy targets."""
    settings = dataclasses.replace(SETTINGS, **changes)  # type: ignore[arg-type] # checked there
    group = TargetGroup(settings, clock or Hands(), Random(3))
    for number in range(count):
        group.record(add(group, number), PASSED)
    return group


def add(group: TargetGroup, number: int) -> Target:
    return group.register(Address("192.0.2.1", 8000 + number))


def fail(group: TargetGroup, *targets: Target) -> None:
    for target in targets:
        for _ in range(group.settings.health_check.unhealthy_threshold):
            group.record(target, FAILED)
        assert target.state is TargetState.UNHEALTHY
