"""A figure beyond its floor fails a run; a missed goal is only reported, and by how much."""

import pytest

from bench.figures import (
    Bound,
    Figure,
    Section,
    Verdict,
    at_least,
    at_most,
    failures,
    shown_bound,
    shown_range,
    shown_verdict,
)


@pytest.mark.parametrize(
    ("values", "floor", "goal", "verdict"),
    [
        ((1.0,), None, None, Verdict.REPORTED),
        ((0.8, 0.9, 1.0), at_least(0.5), at_least(0.85), Verdict.HOLDS),
        ((0.8, 0.8, 1.0), at_least(0.5), at_least(0.85), Verdict.MISSES_GOAL),
        ((0.8, 0.4, 0.4), at_least(0.5), at_least(0.85), Verdict.REGRESSED),
        ((0.5,), at_least(0.5), None, Verdict.HOLDS),
        ((80.0,), at_most(75), at_most(50), Verdict.REGRESSED),
        ((60.0,), at_most(75), at_most(50), Verdict.MISSES_GOAL),
        ((50.0,), at_most(75), at_most(50), Verdict.HOLDS),
        ((60.0,), None, at_most(50), Verdict.MISSES_GOAL),
    ],
)
def test_verdict_is_that_of_the_median(
    values: tuple[float, ...], floor: Bound | None, goal: Bound | None, verdict: Verdict
) -> None:
    assert Figure("speed", values, floor=floor, goal=goal).verdict is verdict


def test_figure_needs_a_value() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        Figure("speed", ())


@pytest.mark.parametrize(
    ("floor", "goal"), [(at_least(2), at_least(1)), (at_most(50), at_most(75))]
)
def test_goal_may_not_be_easier_than_the_floor(floor: Bound, goal: Bound) -> None:
    with pytest.raises(ValueError, match="beyond the floor"):
        Figure("speed", (1.0,), floor=floor, goal=goal)


def test_missed_goal_is_shown_with_its_distance() -> None:
    slow = Figure("speed", (0.45,), floor=at_least(0.3), goal=at_least(0.9))
    large = Figure("size", (60.0,), "MiB", goal=at_most(50), digits=0)
    assert shown_verdict(slow) == "misses its goal by 50%"
    assert shown_verdict(large) == "misses its goal by 20%"
    assert shown_bound(large, large.goal) == "at most 50 MiB"


def test_range_is_shown_beside_the_median() -> None:
    assert shown_range(Figure("speed", (3.0, 1.0, 1.5))) == "1.50 (1.00 to 3.00)"
    assert shown_range(Figure("rate", (1234.5,), "/s", digits=0)) == "1,234 /s"


def test_regressions_and_wrong_effects_fail_a_run_and_missed_goals_do_not() -> None:
    missed = Figure("page", (0.4,), floor=at_least(0.3), goal=at_least(0.9))
    regressed = Figure("hit", (0.2,), floor=at_least(0.3))
    assert failures([Section("Reads", "", (missed,))]) == []
    assert failures([Section("Reads", "", (missed, regressed), wrong=("lost 2 posts",))]) == [
        "Reads: lost 2 posts",
        "Reads: hit regressed: 0.20 is beyond the floor of 0.30",
    ]
