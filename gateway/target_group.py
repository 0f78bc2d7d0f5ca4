"""Target groups: who is registered, in which health, and who gets the next request."""

import logging
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gateway.settings import TargetGroupSettings

if TYPE_CHECKING:
    from gateway.upstream import TargetConnection

_log: Final = logging.getLogger(__name__)


class TargetState(StrEnum):
    """A target's health, in the words of the Elastic Load Balancing API (TargetHealth)."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"


class Reason(StrEnum):
    """Why a target is not healthy, likewise."""

    NONE = ""
    REGISTRATION = "Elb.RegistrationInProgress"
    FIRST_CHECKS = "Elb.InitialHealthChecking"
    CODE_MISMATCH = "Target.ResponseCodeMismatch"
    TIMEOUT = "Target.Timeout"
    FAILED = "Target.FailedHealthChecks"
    DEREGISTRATION = "Target.DeregistrationInProgress"


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a target listens: an IP address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one health check; ``description`` is for people."""

    passed: bool
    reason: Reason = Reason.NONE
    description: str = ""


@dataclass(slots=True, eq=False)
class Target:
    """One registered address, with its connections: most recently used last in ``idle``."""

    address: Address
    state: TargetState = TargetState.INITIAL
    reason: Reason = Reason.REGISTRATION
    description: str = ""
    passed_in_a_row: int = 0
    failed_in_a_row: int = 0
    idle: list["TargetConnection"] = field(default_factory=list)
    connections: set["TargetConnection"] = field(default_factory=set)
    label: str = field(init=False)
    """The address, for logs."""

    def __post_init__(self) -> None:
        self.label = str(self.address)

    def take(self) -> "TargetConnection | None":
        """The idle connection that was used last; None when there is none."""
        while self.idle:
            connection = self.idle.pop()
            if connection.usable:
                return connection
        return None

    def give_back(self, connection: "TargetConnection") -> None:
        """Keeps a connection for the next request, unless the target is draining."""
        if self.state is TargetState.DRAINING:
            connection.close()
        else:
            self.idle.append(connection)

    def close_idle(self) -> None:
        """Closes the connections that no request is on."""
        while self.idle:
            self.idle.pop().close()

    def abort(self) -> None:
        """Ends every connection; a request on one of them fails."""
        for connection in tuple(self.connections):
            connection.abort()


class TargetGroup:
    """The targets of one group.

    ``choose`` goes round robin over the healthy ones. When there are none, and every target that
    has had its first checks is unhealthy, it goes over all of those: the group fails open.
    Source: "Target group health" of the AWS guide.
    """

    def __init__(self, settings: TargetGroupSettings) -> None:
        self.settings = settings
        self.name = settings.logical_id
        self._registered: dict[Address, Target] = {}
        self._draining: set[Target] = set()
        self._eligible: tuple[Target, ...] = ()
        self._next = 0

    @property
    def registered(self) -> tuple[Target, ...]:
        """Every target that is not draining."""
        return tuple(self._registered.values())

    @property
    def draining(self) -> tuple[Target, ...]:
        """Targets that only finish what they have."""
        return tuple(self._draining)

    def choose(self) -> Target | None:
        """The target for the next request; None when the group has no target to offer."""
        eligible = self._eligible
        count = len(eligible)
        if count == 1:
            return eligible[0]
        if count == 0:
            return None
        position = self._next
        if position >= count:
            position = 0
        self._next = position + 1
        return eligible[position]

    def register(self, address: Address) -> Target:
        """Adds a target, which gets requests once a health check has passed."""
        target = Target(address)
        self._registered[address] = target
        self._say(target, "registered")
        return target

    def deregister(self, address: Address) -> Target:
        """Starts draining a target. The caller calls ``forget`` after the deregistration delay."""
        target = self._registered.pop(address)
        self._draining.add(target)
        target.state = TargetState.DRAINING
        target.reason = Reason.DEREGISTRATION
        target.close_idle()
        self._refresh()
        self._say(target, "draining")
        return target

    def forget(self, target: Target) -> None:
        """Ends the draining: what is still in flight on the target fails with 502."""
        self._draining.discard(target)
        target.abort()
        self._say(target, "deregistered")

    def record(self, target: Target, result: CheckResult) -> None:
        """Takes in the result of a health check.

        One passing check makes a new target healthy; later the thresholds count.
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
            target.reason, target.description = Reason.FIRST_CHECKS, result.description

    def _change(self, target: Target, state: TargetState, result: CheckResult) -> None:
        target.state = state
        target.reason, target.description = result.reason, result.description
        self._refresh()
        self._say(target, f"{state}: {result.reason}" if result.reason else str(state))

    def _refresh(self) -> None:
        targets = self._registered.values()
        healthy = tuple(t for t in targets if t.state is TargetState.HEALTHY)
        self._eligible = healthy or tuple(t for t in targets if t.state is TargetState.UNHEALTHY)

    def _say(self, target: Target, what: str) -> None:
        detail = f" ({target.description})" if target.description else ""
        _log.info("%s %s %s%s", self.name, target.address, what, detail)
