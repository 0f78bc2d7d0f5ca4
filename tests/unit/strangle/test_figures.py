"""Percentiles, and which requests belong to a step."""

import pytest

from strangle.show.figures import answered, between, during, percentile
from tests.unit.strangle.histories import result, sample


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        ([], 0.99, 0.0),
        ([5.0], 0.5, 5.0),
        ([*map(float, range(1, 101))], 0.99, 99.0),
        ([*map(float, range(100, 0, -1))], 0.5, 50.0),
        ([1.0, 2.0, 3.0], 0.99, 3.0),
    ],
)
def test_percentile_is_the_nearest_rank(values: list[float], part: float, expected: float) -> None:
    assert percentile(values, part) == expected


def test_requests_due_in_a_step_or_directly_after_it_count_as_during() -> None:
    play = result(*(sample(due) for due in (102.9, 103.0, 103.5, 104.4, 104.6)))
    assert (during(play).requests, between(play).requests) == (3, 2)


def test_latency_counts_from_when_a_request_was_due() -> None:
    late = sample(101.0, latency=0.5, sent=101.4)
    assert between(result(late)).p50 == pytest.approx(500)


def test_responses_are_counted_by_service_second_and_server() -> None:
    samples = [
        sample(100.1),
        sample(100.2, server="posts"),
        sample(101.5, server="posts"),
        sample(101.6, server="posts", problem="500"),
        sample(101.7, service="web", server=""),
    ]
    found = answered(samples, 100.0)
    assert found["posts"][0] == {"monolith": 1, "posts": 1}
    assert found["posts"][1] == {"posts": 1, "failed": 1}
    assert found["web"][1] == {"gateway": 1}
