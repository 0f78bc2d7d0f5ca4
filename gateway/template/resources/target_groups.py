"""Reads target groups and their health checks.

Ranges and defaults: the Elastic Load Balancing API reference of version 2015-12-01.
"""

import dataclasses
import re
from typing import Final

from gateway.routing.settings import (
    Algorithm,
    FunctionSettings,
    HealthCheckSettings,
    Stickiness,
    TargetGroupSettings,
)
from gateway.template.resources import attributes
from gateway.template.resources.attributes import Attributes
from gateway.template.resources.kinds import NAMED_MEANINGLESS
from gateway.template.resources.properties import Properties

_MEANINGLESS: Final = {
    **NAMED_MEANINGLESS,
    "Port": "--target says each target's port",
    "Targets": "--target says what the targets are",
    "VpcId": "a laptop has no VPC",
}
_OTHER_PROTOCOLS: Final = frozenset({"GENEVE", "QUIC", "TCP", "TCP_QUIC", "TCP_UDP", "TLS", "UDP"})
_NOT_OF_FUNCTIONS: Final = (
    "HealthCheckPort",
    "HealthCheckProtocol",
    "IpAddressType",
    "Port",
    "Protocol",
    "ProtocolVersion",
    "VpcId",
)
_UNHEALTHY_ROUTING: Final = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
_DNS_FAILOVER: Final = "target_group_health.dns_failover.minimum_healthy_targets"
_CODES: Final = re.compile(r"(\d{3})(?:-(\d{3}))?")


def is_for_others(properties: Properties) -> bool:
    """Whether the target group is for network or gateway load balancers only."""
    return (properties.text("Protocol") or "").upper() in _OTHER_PROTOCOLS or properties.text(
        "TargetType"
    ) == "alb"


def read_target_group(logical_id: str, properties: Properties) -> TargetGroupSettings:
    """Reads an AWS::ElasticLoadBalancingV2::TargetGroup."""
    if properties.text("TargetType") == "lambda":
        return _function_group(logical_id, properties)
    if is_for_others(properties):
        properties.problem(
            properties.line_of("Protocol"),
            "this target group is for a network or a gateway load balancer",
        )
    else:
        properties.only("Protocol", "HTTP")
    properties.only("ProtocolVersion", "HTTP1")
    # --target sets the targets; the type is only needed to check combinations.
    kind = properties.only("TargetType", "instance", "ip")
    family = properties.only("IpAddressType", "ipv4", "ipv6")
    if family == "ipv6" and kind != "ip":
        properties.problem(
            properties.line_of("IpAddressType"), "an ipv6 target group needs TargetType ip"
        )
    properties.only("HealthCheckEnabled", "true")
    properties.only("HealthCheckProtocol", "HTTP")
    health_check = _health_check(properties, 30, 5, 2)
    read = attributes.read_attributes(properties, "TargetGroupAttributes", attributes.TARGET_GROUP)
    settings = TargetGroupSettings(
        logical_id,
        ipv6=family == "ipv6",
        health_check=health_check,
        deregistration_delay=read.number("deregistration_delay.timeout_seconds"),
        algorithm=Algorithm(read.text("load_balancing.algorithm.type")),
        slow_start=read.optional_number("slow_start.duration_seconds") or 0,
        stickiness=_stickiness(read),
        minimum_healthy_count=read.number(f"{_UNHEALTHY_ROUTING}.count"),
        minimum_healthy_percentage=read.optional_number(f"{_UNHEALTHY_ROUTING}.percentage"),
    )
    _check_together(properties, settings)
    _check_failover(properties, read)
    properties.close(_MEANINGLESS)
    return settings


def _function_group(logical_id: str, properties: Properties) -> TargetGroupSettings:
    """A target group whose target is a Lambda function."""
    for name in _NOT_OF_FUNCTIONS:
        if properties.has(name):
            properties.problem(
                properties.line_of(name), f"a target group of type lambda has no {name}"
            )
    enabled = properties.only("HealthCheckEnabled", "false", "true") == "true"
    health_check = _health_check(properties, 35, 30, 5)
    read = attributes.read_attributes(
        properties, "TargetGroupAttributes", attributes.FUNCTION_TARGET_GROUP
    )
    properties.close(_MEANINGLESS)
    return TargetGroupSettings(
        logical_id,
        ipv6=False,
        health_check=dataclasses.replace(health_check, enabled=enabled),
        deregistration_delay=0,
        function=FunctionSettings(
            f"arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/{logical_id}/0",
            read.flag("lambda.multi_value_headers.enabled"),
        ),
    )


def _stickiness(read: Attributes) -> Stickiness | None:
    if not read.flag("stickiness.enabled"):
        return None
    if read.text("stickiness.type") == "lb_cookie":
        return Stickiness(read.number("stickiness.lb_cookie.duration_seconds"))
    return Stickiness(
        read.number("stickiness.app_cookie.duration_seconds"),
        read.text("stickiness.app_cookie.cookie_name"),
    )


def _check_together(properties: Properties, settings: TargetGroupSettings) -> None:
    """Reports combinations of attributes that AWS refuses."""
    line = properties.line_of("TargetGroupAttributes")
    algorithm = settings.algorithm
    if settings.slow_start and algorithm is not Algorithm.ROUND_ROBIN:
        properties.problem(line, f"slow start works with round_robin only, not {algorithm}")
    if settings.stickiness and algorithm is Algorithm.WEIGHTED_RANDOM:
        properties.problem(line, "weighted_random does not work with stickiness")
    if settings.stickiness and settings.stickiness.app_cookie == "":
        properties.problem(line, "app_cookie needs stickiness.app_cookie.cookie_name")


def _check_failover(properties: Properties, read: Attributes) -> None:
    """DNS failover must happen before, or when, requests go to unhealthy targets."""
    for unit in ("count", "percentage"):
        failover = read.optional_number(f"{_DNS_FAILOVER}.{unit}")
        routing = read.optional_number(f"{_UNHEALTHY_ROUTING}.{unit}")
        if failover is not None and routing is not None and failover < routing:
            properties.problem(
                read.line_of(f"{_DNS_FAILOVER}.{unit}") or properties.line,
                f"{_DNS_FAILOVER}.{unit} {failover} is under the {routing} of "
                "unhealthy_state_routing",
            )


def _health_check(
    properties: Properties, interval: int, timeout: int, unhealthy: int
) -> HealthCheckSettings:
    """The health checks of a group, with these defaults."""
    path = properties.text("HealthCheckPath") or "/"
    if not re.fullmatch(r"/[!-~]{0,1023}", path):
        properties.problem(
            properties.line_of("HealthCheckPath"),
            "HealthCheckPath is a path of at most 1024 visible ASCII characters",
        )
    port = None
    if properties.text("HealthCheckPort", "traffic-port") != "traffic-port":
        port = properties.integer("HealthCheckPort", 1, 65535, 80)
    interval = properties.integer("HealthCheckIntervalSeconds", 5, 300, interval)
    timeout = properties.integer("HealthCheckTimeoutSeconds", 2, 120, timeout)
    if interval <= timeout:
        properties.problem(
            properties.line_of("HealthCheckIntervalSeconds"),
            f"the interval between health checks is greater than their timeout, and {interval} is "
            f"not greater than {timeout}",
        )
    return HealthCheckSettings(
        path=path,
        port=port,
        interval=interval,
        timeout=timeout,
        healthy_threshold=properties.integer("HealthyThresholdCount", 2, 10, 5),
        unhealthy_threshold=properties.integer("UnhealthyThresholdCount", 2, 10, unhealthy),
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
