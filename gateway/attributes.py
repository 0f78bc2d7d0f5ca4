"""The ``Key``/``Value`` attributes of load balancers, listeners and target groups.

An attribute that is not implemented is accepted at its default, because then it says nothing, and
refused at any other value. Defaults: the Elastic Load Balancing API, version 2015-12-01.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.properties import Properties


@dataclass(frozen=True, slots=True)
class Number:
    """An implemented attribute: a whole number within these bounds, and its default."""

    least: int
    most: int
    default: int


@dataclass(frozen=True, slots=True)
class AtDefault:
    """Not implemented: only this value is accepted."""

    default: str


@dataclass(frozen=True, slots=True)
class Meaningless:
    """Has no effect on a laptop, for this reason; any value is accepted."""

    reason: str


AttributeRule = Number | AtDefault | Meaningless

LOAD_BALANCER: Final[Mapping[str, AttributeRule]] = {
    "idle_timeout.timeout_seconds": Number(1, 4000, 60),
    "client_keep_alive.seconds": Number(60, 604800, 3600),
    "routing.http.desync_mitigation_mode": AtDefault("defensive"),
    "routing.http.drop_invalid_header_fields.enabled": AtDefault("false"),
    "routing.http.preserve_host_header.enabled": AtDefault("false"),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": AtDefault("false"),
    "routing.http.xff_client_port.enabled": AtDefault("false"),
    "routing.http.xff_header_processing.mode": AtDefault("append"),
    "routing.http2.enabled": Meaningless("HTTP/2 is only negotiated on an HTTPS listener"),
    "waf.fail_open.enabled": Meaningless("there is no web application firewall here"),
    "access_logs.s3.enabled": Meaningless("--access-log says where the log goes"),
    "access_logs.s3.bucket": Meaningless("--access-log says where the log goes"),
    "access_logs.s3.prefix": Meaningless("--access-log says where the log goes"),
    "connection_logs.s3.enabled": Meaningless("connection logs are about TLS"),
    "connection_logs.s3.bucket": Meaningless("connection logs are about TLS"),
    "connection_logs.s3.prefix": Meaningless("connection logs are about TLS"),
    "deletion_protection.enabled": Meaningless("it guards the resource, not the traffic"),
    "load_balancing.cross_zone.enabled": Meaningless("a laptop is one zone"),
    "ipv6.deny_all_igw_traffic": Meaningless("a laptop has no internet gateway"),
    "zonal_shift.config.enabled": Meaningless("a laptop is one zone"),
}

LISTENER: Final[Mapping[str, AttributeRule]] = {
    "routing.http.response.server.enabled": AtDefault("true"),
}

TARGET_GROUP: Final[Mapping[str, AttributeRule]] = {
    "deregistration_delay.timeout_seconds": Number(0, 3600, 300),
    "load_balancing.algorithm.type": AtDefault("round_robin"),
    "load_balancing.algorithm.anomaly_mitigation": AtDefault("off"),
    "slow_start.duration_seconds": AtDefault("0"),
    "stickiness.enabled": AtDefault("false"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": AtDefault("1"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": AtDefault(
        "off"
    ),
    "stickiness.type": Meaningless("says nothing while stickiness.enabled is false"),
    "stickiness.lb_cookie.duration_seconds": Meaningless("likewise"),
    "stickiness.app_cookie.duration_seconds": Meaningless("likewise"),
    "stickiness.app_cookie.cookie_name": Meaningless("likewise"),
    "load_balancing.cross_zone.enabled": Meaningless("a laptop is one zone"),
    "target_group_health.dns_failover.minimum_healthy_targets.count": Meaningless(
        "no name in DNS points at the gateway"
    ),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": Meaningless(
        "no name in DNS points at the gateway"
    ),
}


def read_attributes(
    owner: Properties, name: str, known: Mapping[str, AttributeRule]
) -> Mapping[str, int]:
    """The numbers among the attributes in property ``name``, defaults filled in."""
    values = {key: rule.default for key, rule in known.items() if isinstance(rule, Number)}
    seen: set[str] = set()
    for entry in owner.sections(name):
        key = entry.text("Key") or ""
        if key in seen:
            entry.problem(entry.line_of("Key"), f"attribute {key} is given twice")
        seen.add(key)
        rule = known.get(key)
        if rule is None:
            entry.problem(entry.line_of("Key"), f"attribute {key!r} is not implemented")
        elif isinstance(rule, Number):
            values[key] = entry.integer("Value", rule.least, rule.most, rule.default)
        else:
            value = entry.text("Value", "")
            if isinstance(rule, AtDefault) and value != rule.default:
                entry.problem(
                    entry.line_of("Value"),
                    f"attribute {key} is not implemented with another value than {rule.default!r}",
                )
        entry.close()
    return values
