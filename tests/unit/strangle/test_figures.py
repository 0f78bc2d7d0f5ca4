"""Percentiles, and which requests belong to a step."""

import pytest

from strangle.play import Mark
from strangle.show.figures import answered, between, during, percentile, step_latency
from strangle.steps import migration
from tests.unit.strangle.histories import result, sample, step


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
    assert (during(play, play.marks).requests, between(play).requests) == (3, 2)


def test_latency_counts_from_when_a_request_was_due() -> None:
    late = sample(101.0, latency=0.5, sent=101.4)
    assert between(result(late)).p50 == pytest.approx(500)


@pytest.mark.parametrize(
    ("between_steps", "in_step", "passed"),
    [
        (0.010, 0.049, True),  # 50 ms are always allowed
        (0.010, 0.051, False),
        (0.040, 0.079, True),  # twice as many as between steps
        (0.040, 0.081, False),
    ],
)
def test_step_may_take_twice_the_time_between_steps_or_50_ms(
    between_steps: float, in_step: float, *, passed: bool
) -> None:
    play = result(sample(101.0, between_steps), sample(103.2, in_step))
    check = step_latency(play)
    assert check.passed is passed
    limit = max(50, 2000 * between_steps)
    each = f"{1000 * in_step:.1f} ms"
    assert check.counted == f"{each} (shift {each}); at most {limit:.1f} ms"
    assert passed or check.problems == (f"during steps: {each}",)


def test_step_in_which_nothing_is_done_is_not_measured() -> None:
    play = result(sample(101.0), sample(106.2, 0.2))
    play.marks.append(Mark(step("the monolith answers everything", ""), 106.0, 106.5))
    assert step_latency(play).passed


@pytest.mark.parametrize("kind", ["start", "shift", "stop"])
def test_step_that_is_slow_as_a_whole_is_not_hidden_by_the_others(kind: str) -> None:
    """Among as many steps as the play has."""
    play = result(*(sample(200.0 + n / 100) for n in range(100)))
    steps = [one for one in migration() if one.kind]
    play.marks = [Mark(one, 300.0 + 10 * n, 300.0 + 10 * n) for n, one in enumerate(steps)]
    slow = next(mark for mark in play.marks if mark.step.kind == kind)
    for mark in play.marks:
        latency = 0.2 if mark is slow else 0.002
        play.history.samples += [sample(mark.began + n / 600, latency) for n in range(500)]
    check = step_latency(play)
    assert check.problems == ("during steps: 200.0 ms",)
    assert f"{kind} 200.0 ms" in check.counted


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
