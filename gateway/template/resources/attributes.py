"""The ``Key``/``Value`` attributes of load balancers, listeners and target groups.

An attribute that is not implemented is accepted only with its default value, which has no effect.
Defaults: the Elastic Load Balancing API, version 2015-12-01."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.template.resources.properties import Properties


@dataclass(frozen=True, slots=True)
class Number:
    """An implemented attribute: a whole number within these bounds, and its default.

    ``instead`` is a value that means "none": ``off``, or 0 outside the bounds.
    """

    least: int
    most: int
    default: int | None
    instead: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """An implemented attribute: one of these values; the first is the default."""

    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """An implemented attribute: a text that matches the pattern as a whole; empty by default."""

    pattern: str
    meaning: str


@dataclass(frozen=True, slots=True)
class AtDefault:
    """An attribute that is not implemented: only this value is accepted."""

    default: str


@dataclass(frozen=True, slots=True)
class Meaningless:
    """An attribute without effect on a laptop, with the reason; any value is accepted."""

    reason: str


AttributeRule = Number | Choice | Written | AtDefault | Meaningless

_FLAG_OFF: Final = Choice(("false", "true"))
_FLAG_ON: Final = Choice(("true", "false"))

LOAD_BALANCER: Final[Mapping[str, AttributeRule]] = {
    "idle_timeout.timeout_seconds": Number(1, 4000, 60),
    "client_keep_alive.seconds": Number(60, 604800, 3600),
    "routing.http.desync_mitigation_mode": Choice(("defensive", "monitor", "strictest")),
    "routing.http.drop_invalid_header_fields.enabled": _FLAG_OFF,
    "routing.http.preserve_host_header.enabled": _FLAG_OFF,
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": _FLAG_OFF,
    "routing.http.xff_client_port.enabled": _FLAG_OFF,
    "routing.http.xff_header_processing.mode": Choice(("append", "preserve", "remove")),
    "routing.http2.enabled": _FLAG_ON,
    "waf.fail_open.enabled": Meaningless("there is no web application firewall here"),
    "access_logs.s3.enabled": Meaningless("--access-log says where the log goes"),
    "access_logs.s3.bucket": Meaningless("--access-log says where the log goes"),
    "access_logs.s3.prefix": Meaningless("--access-log says where the log goes"),
    "connection_logs.s3.enabled": Meaningless("there is no bucket to put them in"),
    "connection_logs.s3.bucket": Meaningless("there is no bucket to put them in"),
    "connection_logs.s3.prefix": Meaningless("there is no bucket to put them in"),
    "health_check_logs.s3.enabled": Meaningless("each change of health is logged as it happens"),
    "health_check_logs.s3.bucket": Meaningless("each change of health is logged as it happens"),
    "health_check_logs.s3.prefix": Meaningless("each change of health is logged as it happens"),
    "deletion_protection.enabled": Meaningless("it guards the resource, not the traffic"),
    "load_balancing.cross_zone.enabled": Meaningless("a laptop is one zone"),
    "ipv6.deny_all_igw_traffic": Meaningless("a laptop has no internet gateway"),
    "zonal_shift.config.enabled": Meaningless("a laptop is one zone"),
}

_HEADER: Final = Written(r"[ -~]{0,1024}", "at most 1024 printable ASCII characters")
RESPONSE_HEADERS: Final[Mapping[str, str]] = {
    f"routing.http.response.{name.lower().replace('-', '_')}.header_value": name
    for name in (
        "Strict-Transport-Security",
        "Access-Control-Allow-Origin",
        "Access-Control-Allow-Methods",
        "Access-Control-Allow-Headers",
        "Access-Control-Allow-Credentials",
        "Access-Control-Expose-Headers",
        "Access-Control-Max-Age",
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "X-Frame-Options",
    )
}
"""The listener attributes that add a header to every response, with the header's name."""

LISTENER: Final[Mapping[str, AttributeRule]] = {
    "routing.http.response.server.enabled": _FLAG_ON,
    **dict.fromkeys(RESPONSE_HEADERS, _HEADER),
}

_COOKIE_NAME: Final = Written(
    r"(?!AWSALB)[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}", "a cookie's name that AWSALB does not begin"
)

TARGET_GROUP: Final[Mapping[str, AttributeRule]] = {
    "deregistration_delay.timeout_seconds": Number(0, 3600, 300),
    "load_balancing.algorithm.type": Choice(
        ("round_robin", "least_outstanding_requests", "weighted_random")
    ),
    "load_balancing.algorithm.anomaly_mitigation": AtDefault("off"),
    "slow_start.duration_seconds": Number(30, 900, None, instead="0"),
    "stickiness.enabled": _FLAG_OFF,
    "stickiness.type": Choice(("lb_cookie", "app_cookie")),
    "stickiness.lb_cookie.duration_seconds": Number(1, 604800, 86400),
    "stickiness.app_cookie.duration_seconds": Number(1, 604800, 86400),
    "stickiness.app_cookie.cookie_name": _COOKIE_NAME,
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": Number(1, 1000, 1),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": Number(
        1, 100, None, instead="off"
    ),
    # The gateway has no DNS name: these two are only compared with those above.
    "target_group_health.dns_failover.minimum_healthy_targets.count": Number(
        1, 1000, None, instead="off"
    ),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": Number(
        1, 100, None, instead="off"
    ),
    "load_balancing.cross_zone.enabled": Meaningless("a laptop is one zone"),
}

FUNCTION_TARGET_GROUP: Final[Mapping[str, AttributeRule]] = {
    "lambda.multi_value_headers.enabled": _FLAG_OFF,
}
"""The attributes of a target group of type lambda."""


class Attributes:
    """The implemented attributes of one resource, with defaults."""

    def __init__(self, known: Mapping[str, AttributeRule]) -> None:
        self._known = known
        self._values: dict[str, str] = {}
        self._lines: dict[str, int] = {}

    def take(self, key: str, value: str, line: int) -> None:
        """Sets a checked value from that line."""
        self._values[key] = value
        self._lines[key] = line

    def line_of(self, key: str) -> int | None:
        """The line of the attribute; None if it is absent."""
        return self._lines.get(key)

    def optional_number(self, key: str) -> int | None:
        """A Number attribute; None for the value that means none."""
        rule = self._known[key]
        assert isinstance(rule, Number), key  # noqa: S101 - which attributes there are is fixed
        value = self._values.get(key)
        if value is None:
            return rule.default
        return None if value == rule.instead else int(value)

    def number(self, key: str) -> int:
        """A Number attribute that has a default."""
        return self.optional_number(key) or 0

    def text(self, key: str) -> str:
        """A Choice or Written attribute."""
        rule = self._known[key]
        return self._values.get(key, rule.choices[0] if isinstance(rule, Choice) else "")

    def flag(self, key: str) -> bool:
        """A Choice attribute between true and false."""
        return self.text(key) == "true"


def read_attributes(owner: Properties, name: str, known: Mapping[str, AttributeRule]) -> Attributes:
    """The attributes in property ``name``."""
    read = Attributes(known)
    seen: set[str] = set()
    for entry in owner.sections(name):
        key = entry.text("Key") or ""
        if key in seen:
            entry.problem(entry.line_of("Key"), f"attribute {key} is given twice")
        seen.add(key)
        rule = known.get(key)
        if rule is None:
            entry.not_here(entry.line_of("Key"), f"attribute {key!r} is not implemented")
            entry.skip("Value")
        elif isinstance(rule, Meaningless):
            # For example a bucket's name, which only AWS knows.
            entry.skip("Value")
        else:
            _read_value(entry, key, rule, read)
        entry.close()
    return read


def _read_value(entry: Properties, key: str, rule: AttributeRule, read: Attributes) -> None:
    found = entry.written("Value")
    if found is None and entry.failed("Value"):
        return
    value = found.value if found else ""
    problem = _problem(key, rule, value)
    if problem is not None and found is not None and found.written is not None:
        # "off" without quotes is a boolean of YAML 1.1, but a word here unless a boolean is
        # allowed.
        value = found.written
        problem = _problem(key, rule, value)
    if problem is None:
        read.take(key, value, entry.line)
    elif isinstance(rule, AtDefault):
        entry.not_here(entry.line_of("Value"), problem)
    else:
        entry.problem(entry.line_of("Value"), problem)


def _problem(key: str, rule: AttributeRule, value: str) -> str | None:
    if isinstance(rule, Number):
        if value == rule.instead:
            return None
        if not re.fullmatch(r"\d{1,9}", value) or not rule.least <= int(value) <= rule.most:
            alternative = f" or {rule.instead}" if rule.instead else ""
            return (
                f"attribute {key} is a number from {rule.least} to {rule.most}{alternative}, "
                f"not {value!r}"
            )
    elif isinstance(rule, Choice):
        if value not in rule.choices:
            return f"attribute {key} is one of {', '.join(rule.choices)}, not {value!r}"
    elif isinstance(rule, Written):
        if not re.fullmatch(rule.pattern, value):
            return f"attribute {key} is {rule.meaning}, not {value!r}"
    elif isinstance(rule, AtDefault) and value != rule.default:
        return f"attribute {key} is not implemented with another value than {rule.default!r}"
    return None
