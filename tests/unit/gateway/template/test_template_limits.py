"""Combinations of valid resources that AWS refuses."""

import pytest

from tests.unit.gateway.read_templates import INTERNAL, read, refused
from tests.unit.gateway.support import TEMPLATE

LISTENER = TEMPLATE[TEMPLATE.index("  Front:") : TEMPLATE.index("  FixedRule:")]
RULE = TEMPLATE[TEMPLATE.index("  FixedRule:") :]
GROUP = TEMPLATE[TEMPLATE.index("  Web:") : TEMPLATE.index("  Front:")]
WITHOUT_RULE = TEMPLATE.removesuffix(RULE)


def rules(listener: str, count: int) -> str:
    return "".join(
        RULE.replace("FixedRule", f"{listener}Rule{number}")
        .replace("!Ref Front", f"!Ref {listener}")
        .replace("Priority: 7", f"Priority: {number + 1}")
        for number in range(count)
    )


def test_a_load_balancer_has_at_most_100_rules_without_its_default_rules() -> None:
    second = LISTENER.replace("Front", "Second").replace("8080", "8081")
    text = WITHOUT_RULE + second + rules("Front", 60)
    routing = read(text + rules("Second", 40))
    assert sum(len(list(listener.rules)) for listener in routing.listeners) == 102
    [line] = refused(text + rules("Second", 41))
    assert "SecondRule40: Balancer has 101 rules, and a load balancer has at most 100" in line


def test_the_rules_of_another_load_balancer_do_not_count() -> None:
    routing = read(WITHOUT_RULE + INTERNAL + rules("Front", 100) + rules("Back", 100))
    assert len(list(routing.listeners[0].rules)) == 101


def test_a_load_balancer_has_at_most_50_listeners() -> None:
    more = [
        LISTENER.replace("Front", f"More{number}").replace("8080", str(9000 + number))
        for number in range(50)
    ]
    assert len(read(TEMPLATE + "".join(more[:49])).listeners) == 50
    [line] = refused(TEMPLATE + "".join(more))
    assert "More49: Balancer has 51 listeners, and a load balancer has at most 50" in line


def test_a_load_balancer_has_at_most_100_target_groups() -> None:
    def text(count: int) -> str:
        groups = "".join(GROUP.replace("Web", f"Web{number}") for number in range(count))
        for number in range(0, count, 5):
            listed = ", ".join(
                f"{{TargetGroupArn: !Ref Web{member}}}"
                for member in range(number, min(number + 5, count))
            )
            action = f"[{{Type: forward, ForwardConfig: {{TargetGroups: [{listed}]}}}}]"
            rule = RULE[: RULE.index("      Actions:")] + f"      Actions: {action}\n"
            groups += rule.replace("FixedRule", f"Rule{number}").replace(
                "Priority: 7", f"Priority: {number + 1}"
            )
        return WITHOUT_RULE + groups

    assert len(read(text(99)).target_groups) == 100
    [line] = refused(text(100))
    assert "Web99: Balancer has 101 target groups, and a load balancer has at most 100" in line


DUALSTACK = TEMPLATE.replace(
    "V2::LoadBalancer\n", "V2::LoadBalancer\n    Properties: {IpAddressType: dualstack}\n"
)


def with_ipv6(text: str, target_type: str) -> str:
    return text.replace(
        "HealthCheckPath: /health",
        f"HealthCheckPath: /health\n      IpAddressType: ipv6\n      {target_type}",
    )


def test_ipv6_target_group_needs_ip_targets_and_a_dualstack_load_balancer() -> None:
    assert read(with_ipv6(DUALSTACK, "TargetType: ip")).target_groups["Web"].ipv6
    without_public = DUALSTACK.replace("dualstack", "dualstack-without-public-ipv4")
    assert read(with_ipv6(without_public, "TargetType: ip")).target_groups["Web"].ipv6
    for kind in ("", "TargetType: instance"):
        [line] = refused(with_ipv6(DUALSTACK, kind))
        assert "Web: an ipv6 target group needs TargetType ip" in line
    [line] = refused(with_ipv6(TEMPLATE, "TargetType: ip"))
    assert "Web: an ipv6 target group needs a dualstack load balancer, and Balancer is" in line
    [line] = refused(DUALSTACK.replace("dualstack", "ipv5"))
    assert "IpAddressType 'ipv5' is not implemented" in line


def thresholds(**values: str) -> str:
    listed = ", ".join(
        f"{{Key: target_group_health.{name.replace('__', '.minimum_healthy_targets.')}, "
        f"Value: '{value}'}}"
        for name, value in values.items()
    )
    return TEMPLATE.replace(
        "HealthCheckPath: /health",
        f"HealthCheckPath: /health\n      TargetGroupAttributes: [{listed}]",
    )


@pytest.mark.parametrize("unit", ["count", "percentage"])
def test_dns_failover_threshold_is_not_below_the_routing_threshold(unit: str) -> None:
    for failover in ("5", "6", "off"):
        text = thresholds(
            **{f"unhealthy_state_routing__{unit}": "5", f"dns_failover__{unit}": failover}
        )
        assert read(text).target_groups["Web"].health_check.path == "/health"
    [line] = refused(
        thresholds(**{f"unhealthy_state_routing__{unit}": "5", f"dns_failover__{unit}": "4"})
    )
    assert f"dns_failover.minimum_healthy_targets.{unit} 4 is under the 5 of" in line
