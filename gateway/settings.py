"""What a template says about routing, as values: checked, complete, and free of CloudFormation."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.rules import Rules


@dataclass(frozen=True, slots=True)
class HealthCheckSettings:
    """How the targets of one group are checked. Times are in seconds."""

    path: str
    port: int | None
    """None: the port that the target gets its traffic on (``traffic-port``)."""
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: frozenset[int]


@dataclass(frozen=True, slots=True)
class TargetGroupSettings:
    """One target group; ``logical_id`` is its name in the template."""

    logical_id: str
    ipv6: bool
    health_check: HealthCheckSettings
    deregistration_delay: float


@dataclass(frozen=True, slots=True)
class LoadBalancerSettings:
    """The load balancer's own timers, in seconds."""

    logical_id: str
    idle_timeout: float
    client_keep_alive: float


@dataclass(frozen=True, slots=True)
class Routing:
    """The one listener of a template, with everything that it needs."""

    load_balancer: LoadBalancerSettings
    listener_port: int
    rules: Rules
    target_groups: Mapping[str, TargetGroupSettings]
