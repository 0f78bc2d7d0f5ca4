"""Target groups: the registered targets, their health, and which gets the next request."""

import logging
from collections.abc import Callable
from random import Random
from typing import Final

from gateway.routing.settings import Algorithm, TargetGroupSettings
from gateway.targets.target import Address, CheckResult, HealthReason, Target, TargetState

_log: Final = logging.getLogger(__name__)


class TargetGroup:
    """The targets of one group.

    ``choose`` applies the group's algorithm to the healthy targets. If there are fewer of them than
    the group's thresholds require, it includes unhealthy ones; with the default thresholds, that is
    when none is healthy (fail-open). A target gets no requests before its first passed check.
    Source: "Target group health" and "Routing algorithms" of the AWS guide. ``now`` reads monotonic
    seconds."""

    def __init__(
        self, settings: TargetGroupSettings, now: Callable[[], float], random: Random
    ) -> None:
        self.settings = settings
        self.name = settings.logical_id
        self.fails_open = False
        """Whether unhealthy targets currently get requests."""
        self._now = now
        self._random = random
        self._registered: dict[Address, Target] = {}
        self._draining: set[Target] = set()
        self._eligible: tuple[Target, ...] = ()
        self._starting = False
        self._next = 0

    @property
    def registered(self) -> tuple[Target, ...]:
        """Every target that is not draining."""
        return tuple(self._registered.values())

    @property
    def draining(self) -> tuple[Target, ...]:
        """Deregistered targets that finish their requests."""
        return tuple(self._draining)

    def choose(self, preferred: str | None = None) -> Target | None:
        """The target for the next request; None if no target may get requests.

        ``preferred`` is the label of the target of the client's session: it has priority if it may
        get requests.
        """
        eligible = self._eligible
        if preferred is not None:
            for target in eligible:
                if target.label == preferred:
                    return target
        count = len(eligible)
        if count == 1:
            return eligible[0]
        if count == 0:
            return None
        algorithm = self.settings.algorithm
        if algorithm is Algorithm.ROUND_ROBIN:
            return self._next_in_slow_start() if self._starting else self._next_in_turn()
        if algorithm is Algorithm.WEIGHTED_RANDOM:
            return self._random.choice(eligible)
        fewest = min(target.outstanding for target in eligible)
        while (target := self._next_in_turn()).outstanding > fewest:
            pass
        return target

    def _next_in_turn(self) -> Target:
        position = self._next
        if position >= len(self._eligible):
            position = 0
        self._next = position + 1
        return self._eligible[position]

    def _next_in_slow_start(self) -> Target:
        """Round robin, but a target in slow start skips some of its turns."""
        now = self._now()
        for _ in self._eligible:
            target = self._next_in_turn()
            if target.slow_since is None:
                return target
            ramp = (now - target.slow_since) / self.settings.slow_start
            if ramp >= 1:
                target.slow_since = None
                self._starting = any(t.slow_since is not None for t in self._eligible)
                return target
            target.credit += ramp
            if target.credit >= 1:
                target.credit -= 1
                return target
        return self._next_in_turn()

    def apply(self, settings: TargetGroupSettings) -> None:
        """Applies new settings; the targets stay registered, with their health."""
        self.settings = settings
        for target in self._registered.values():
            target.function = settings.function
        if not settings.slow_start:
            for target in self._registered.values():
                target.slow_since = None
        self._refresh()

    def register(self, address: Address) -> Target:
        """Adds a target, which gets requests after its first passed health check."""
        target = Target(address, function=self.settings.function)
        self._registered[address] = target
        self._refresh()
        self._log_change(target, "registered")
        return target

    def deregister(self, address: Address) -> Target:
        """Starts draining a target. The caller calls ``forget`` after the deregistration delay."""
        target = self._registered.pop(address)
        self._draining.add(target)
        target.state = TargetState.DRAINING
        target.reason = HealthReason.DEREGISTRATION
        target.slow_since = None
        target.close_idle()
        self._refresh()
        self._log_change(target, "draining")
        return target

    def forget(self, target: Target) -> None:
        """Removes a draining target; its requests in flight fail with 502."""
        self._draining.discard(target)
        target.abort()
        self._log_change(target, "deregistered")

    def record(self, target: Target, result: CheckResult) -> None:
        """Processes the result of a health check.

        One passed check makes a new target healthy; afterwards the thresholds apply.
        """
        if target.state is TargetState.DRAINING:
            return
        checks = self.settings.health_check
        if result.passed:
            target.failed_in_a_row = 0
            target.passed_in_a_row += 1
            needed = 1 if target.state is TargetState.INITIAL else checks.healthy_threshold
            if target.state is not TargetState.HEALTHY and target.passed_in_a_row >= needed:
                self._change(target, TargetState.HEALTHY, result)
            return
        target.passed_in_a_row = 0
        target.failed_in_a_row += 1
        if target.state is TargetState.UNHEALTHY:
            if (target.reason, target.description) != (result.reason, result.description):
                self._change(target, TargetState.UNHEALTHY, result)
        elif target.failed_in_a_row >= checks.unhealthy_threshold:
            self._change(target, TargetState.UNHEALTHY, result)
        elif target.state is TargetState.INITIAL:
            target.reason, target.description = HealthReason.FIRST_CHECKS, result.description

    def _change(self, target: Target, state: TargetState, result: CheckResult) -> None:
        target.slow_since = self._start_of_slow_start() if state is TargetState.HEALTHY else None
        target.state = state
        target.reason, target.description = result.reason, result.description
        target.credit = 0
        self._refresh()
        self._log_change(target, f"{state}: {result.reason}" if result.reason else str(state))

    def _start_of_slow_start(self) -> float | None:
        """When slow start begins for a target that has just become healthy. None if no other target
        could take the rest of its share."""
        if self.settings.slow_start and any(t.slow_since is None for t in self._healthy()):
            return self._now()
        return None

    def _healthy(self) -> list[Target]:
        return [
            target for target in self._registered.values() if target.state is TargetState.HEALTHY
        ]

    def _refresh(self) -> None:
        healthy = self._healthy()
        least = self.settings.minimum_healthy_count
        percentage = self.settings.minimum_healthy_percentage
        registered = len(self._registered)
        self.fails_open = len(healthy) < least or (
            percentage is not None and len(healthy) * 100 < percentage * registered
        )
        if self.fails_open:
            self._eligible = tuple(
                target
                for target in self._registered.values()
                if target.state in (TargetState.HEALTHY, TargetState.UNHEALTHY)
            )
        else:
            self._eligible = tuple(healthy)
        self._starting = any(target.slow_since is not None for target in self._eligible)

    def _log_change(self, target: Target, what: str) -> None:
        detail = f" ({target.description})" if target.description else ""
        _log.info("%s %s %s%s", self.name, target.address, what, detail)
