"""A deployment is loaded until it does not keep up, and the report shows how far it did."""

from collections import Counter

import pytest

from bench.figures import Verdict
from bench.load.open_loop import Window
from bench.sections.curves import chart, figures, is_saturated, keeps_up


def window(median: float = 0.01, refused: int = 0) -> Window:
    return Window(sent=10, latencies={"read": [median] * 10}, refusals=Counter(busy=refused))


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([window(), window()], True),
        ([window(), window(refused=1)], False),
        ([window(), window(median=1.5)], False),
        ([Window(sent=1, failures=Counter(wrong=1))], False),
    ],
)
def test_refusals_and_growing_queues_mean_that_it_does_not_keep_up(
    windows: list[Window], expected: bool
) -> None:
    assert keeps_up(windows) is expected


def test_two_rates_beyond_its_capacity_end_the_load_of_a_deployment() -> None:
    good, bad = [window()], [window(refused=1)]
    assert not is_saturated({})
    assert not is_saturated({100: bad})
    assert not is_saturated({100: good, 200: bad})
    assert not is_saturated({100: bad, 200: good})
    assert is_saturated({100: good, 200: bad, 300: bad})


def test_highest_rate_is_the_last_before_one_that_was_too_much() -> None:
    by_rate = {
        500: [window()], 1000: [window()], 1500: [window(refused=1)], 2000: [window()],
    }  # fmt: skip
    windows = {"monolith": by_rate}
    *latencies, highest = figures(windows)
    assert [round(figure.median, 1) for figure in latencies] == [10.0, 10.0]
    assert highest.median == 1000


def test_deployment_that_keeps_up_with_nothing_has_regressed() -> None:
    *_, highest = figures({"monolith": {500: [window(refused=1)]}})
    assert highest.verdict is Verdict.REGRESSED


def test_chart_has_two_lines_for_each_deployment() -> None:
    windows = {
        "monolith": {500: [window(), window(0.02)], 1000: [Window()]},
        "services": {500: [window()]},
    }
    drawn = chart(windows)
    assert [(curve.name, curve.faint) for curve in drawn.curves] == [
        ("monolith, p99", False),
        ("monolith, median", True),
        ("services, p99", False),
        ("services, median", True),
    ]
    [point] = drawn.curves[0].points
    assert (point.load, point.values) == (500, (10.0, 20.0))
