"""How a group's next target is chosen: algorithms, slow start, thresholds."""

import dataclasses
from collections import Counter
from itertools import pairwise

import pytest

from gateway.routing.settings import Algorithm, TargetGroupSettings
from gateway.targets.target import Target, TargetState
from gateway.targets.target_group import TargetGroup
from tests.unit.gateway.groups import PASSED, SETTINGS, Hands, add, fail, group_of
from tests.unit.gateway.read_templates import read, refused
from tests.unit.gateway.support import TEMPLATE


def served(group: TargetGroup, count: int) -> Counter[Target | None]:
    return Counter(group.choose() for _ in range(count))


def test_least_outstanding_requests_chooses_the_fewest_and_alternates_between_equals() -> None:
    group = group_of(3, algorithm=Algorithm.LEAST_OUTSTANDING_REQUESTS)
    one, two, three = group.registered
    one.outstanding, two.outstanding, three.outstanding = 5, 2, 2
    assert served(group, 10) == {two: 5, three: 5}
    two.outstanding = 1
    assert served(group, 4) == {two: 4}


def test_weighted_random_spreads_evenly_in_random_order() -> None:
    group = group_of(3, algorithm=Algorithm.WEIGHTED_RANDOM)
    chosen = [group.choose() for _ in range(3000)]
    assert all(abs(count - 1000) < 120 for count in Counter(chosen).values())
    steps = Counter(pairwise(chosen))
    assert all(abs(count - 333) < 90 for count in steps.values())


def test_slow_start_increases_a_new_targets_share_linearly() -> None:
    clock = Hands()
    group = group_of(1, clock, slow_start=100)
    old = group.registered[0]
    new = add(group, 1)
    group.record(new, PASSED)
    assert served(group, 100)[new] == 0
    for elapsed, share in ((25, 0.25), (50, 0.5), (75, 0.75)):
        clock.now = 100.0 + elapsed
        counts = served(group, 1000)
        assert counts[new] / counts[old] == pytest.approx(share, abs=0.02)
    clock.now = 200.0
    assert served(group, 1000) == {old: 500, new: 500}


def test_the_first_targets_of_a_group_start_at_once() -> None:
    group = group_of(1, slow_start=100)
    assert served(group, 3) == {group.registered[0]: 3}


def test_recovered_target_starts_slowly_again() -> None:
    clock = Hands()
    group = group_of(2, clock, slow_start=100)
    clock.now += 100
    served(group, 4)
    _, two = group.registered
    fail(group, two)
    group.record(two, PASSED)
    group.record(two, PASSED)
    assert two.state is TargetState.HEALTHY
    assert served(group, 20)[two] == 0
    clock.now += 100
    assert served(group, 20)[two] == 10


def test_targets_in_slow_start_get_everything_if_no_other_is_healthy() -> None:
    clock = Hands()
    group = group_of(2, clock, slow_start=100)
    one, two = group.registered
    assert two.slow_since is not None
    fail(group, one)
    assert served(group, 5) == {two: 5}


def test_slow_start_is_not_for_targets_that_were_healthy_before_it_was_enabled() -> None:
    group = group_of(2)
    group.apply(dataclasses.replace(SETTINGS, slow_start=100))
    assert served(group, 10) == dict.fromkeys(group.registered, 5)


def test_unhealthy_targets_get_requests_below_the_healthy_count() -> None:
    group = group_of(3, minimum_healthy_count=2)
    one, two, three = group.registered
    fail(group, one)
    assert served(group, 4) == {two: 2, three: 2}
    fail(group, two)
    assert group.fails_open
    assert served(group, 6) == {one: 2, two: 2, three: 2}


def test_unhealthy_targets_get_requests_below_the_healthy_percentage() -> None:
    group = group_of(4, minimum_healthy_percentage=50)
    one, two, three, four = group.registered
    fail(group, one, two)
    assert served(group, 4) == {three: 2, four: 2}
    fail(group, three)
    assert served(group, 4) == {one: 1, two: 1, three: 1, four: 1}


def test_unchecked_target_gets_nothing_even_in_fail_open() -> None:
    group = group_of(1, minimum_healthy_count=3)
    add(group, 9)
    assert served(group, 3) == {group.registered[0]: 3}


def of(attributes: str) -> str:
    return TEMPLATE.replace(
        "      HealthCheckPath: /health\n",
        f"      HealthCheckPath: /health\n      TargetGroupAttributes: [{attributes}]\n",
    )


def settings(attributes: str) -> TargetGroupSettings:
    return read(of(attributes)).target_groups["Web"]


def test_the_attributes_of_a_target_group_are_read() -> None:
    assert settings("{Key: slow_start.duration_seconds, Value: '60'}").slow_start == 60
    assert settings("{Key: slow_start.duration_seconds, Value: '0'}").slow_start == 0
    assert (
        settings("{Key: load_balancing.algorithm.type, Value: weighted_random}").algorithm
        is Algorithm.WEIGHTED_RANDOM
    )
    routing = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
    assert settings(f"{{Key: {routing}.count, Value: '2'}}").minimum_healthy_count == 2
    assert settings(f"{{Key: {routing}.percentage, Value: '30'}}").minimum_healthy_percentage == 30
    assert settings(f"{{Key: {routing}.percentage, Value: off}}").minimum_healthy_percentage is None


STICKY = "{Key: stickiness.enabled, Value: 'true'}"
LEAST = "{Key: load_balancing.algorithm.type, Value: least_outstanding_requests}"
RANDOM = "{Key: load_balancing.algorithm.type, Value: weighted_random}"


@pytest.mark.parametrize(
    ("attributes", "line"),
    [
        ("{Key: slow_start.duration_seconds, Value: '29'}", "a number from 30 to 900 or 0"),
        ("{Key: load_balancing.algorithm.type, Value: random}", "is one of round_robin, least_"),
        (
            f"{LEAST}, {{Key: slow_start.duration_seconds, Value: '30'}}",
            "slow start works with round_robin only, not least_outstanding_requests",
        ),
        (f"{RANDOM}, {STICKY}", "weighted_random does not work with stickiness"),
        (f"{STICKY}, {{Key: stickiness.type, Value: app_cookie}}", "app_cookie needs"),
        ("{Key: stickiness.app_cookie.cookie_name, Value: AWSALBX}", "AWSALB does not begin"),
        ("{Key: stickiness.lb_cookie.duration_seconds, Value: '0'}", "from 1 to 604800, not '0'"),
        ("{Key: stickiness.type, Value: source_ip}", "is one of lb_cookie, app_cookie"),
    ],
)
def test_attribute_combinations_that_aws_rejects_are_refused(attributes: str, line: str) -> None:
    assert any(line in found for found in refused(of(attributes)))
