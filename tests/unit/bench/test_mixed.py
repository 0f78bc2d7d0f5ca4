"""The highest rate is the last that held before one did not."""

from collections import Counter

import pytest

from bench.load.open_loop import Window
from bench.sections.mixed import cache_share, climb, holds


def window(p99: float = 0.01, failed: int = 0) -> Window:
    return Window(
        sent=100, latencies={"read": [0.001] * 95 + [p99] * 5}, failures=Counter(why=failed)
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [(window(), True), (window(p99=0.05), False), (window(failed=1), False), (Window(), False)],
)
def test_rate_holds_without_failures_and_with_a_quick_p99(found: Window, expected: bool) -> None:
    assert holds(found) is expected


async def test_climb_stops_at_the_first_rate_that_does_not_hold() -> None:
    tried: list[int] = []

    async def probe(rate: int) -> Window:
        tried.append(rate)
        return window(p99=0.2 if rate > 200 else 0.01)

    found = await climb(probe, (100, 200, 300, 400))
    assert found.highest == 200
    assert tried == [100, 100, 200, 200, 300, 300]


async def test_one_disturbed_window_does_not_end_the_climb() -> None:
    results = iter([window(), window(failed=3), window(), window(p99=1.0), window(p99=1.0)])

    async def probe(_: int) -> Window:
        return next(results)

    found = await climb(probe, (100, 200))
    assert found.highest == 100
    assert len(found.windows[100]) == 3


async def test_no_rate_may_hold() -> None:
    async def probe(_: int) -> Window:
        return window(failed=1)

    assert (await climb(probe, (100, 200))).highest == 0


def test_cache_share_counts_what_was_added() -> None:
    before = {"hit": 100.0, "filled": 50.0}
    after = {"hit": 180.0, "filled": 60.0, "joined": 10.0}
    assert cache_share(before, after) == 0.9
    assert cache_share(after, after) == 0.0
