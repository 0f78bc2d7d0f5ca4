"""What counts as growth of a process, and what does not."""

import random

import pytest

from chaos.drift import MIB, Use, drifts, growth

MINUTES_3, MINUTES_15 = 90, 450
"""Measurements, one every two seconds."""


def grown(memory: list[int], files: list[int] | None = None) -> list[str]:
    """The checks that fail for a process with these measurements."""
    files = files or [10] * len(memory)
    uses = [Use(2.0 * at, memory[at], files[at]) for at in range(len(memory))]
    checks = [drift.check for drift in drifts({"posts": uses})]
    return [check.name for check in checks if not check.passed]


def test_growth_is_that_of_a_line_through_the_measurements() -> None:
    assert growth([0, 2, 4], [10, 20, 30]) == pytest.approx(20)
    assert growth([0, 2, 4, 6], [10, 12, 10, 12]) < 2


def test_leak_of_memory_is_noticed() -> None:
    assert grown([100 * MIB + at * MIB // 2 for at in range(90)]) == [
        "memory of posts did not grow"
    ]


def test_leak_of_files_is_noticed() -> None:
    assert grown([100 * MIB] * 90, [20 + at // 5 for at in range(90)]) == [
        "files of posts did not grow"
    ]


def test_memory_that_settles_is_flat() -> None:
    assert grown([50 * MIB + min(at, 28) * MIB for at in range(90)]) == []


def test_files_that_come_and_go_are_flat() -> None:
    assert grown([100 * MIB] * 90, [20 + at % 5 for at in range(90)]) == []


@pytest.mark.parametrize("count", [MINUTES_3, MINUTES_15])
def test_noise_is_flat_and_does_not_hide_a_leak(count: int) -> None:
    for seed in range(30):
        noise = random.Random(seed)
        memory = [round(80 * MIB * noise.gauss(1, 0.03)) for _ in range(count)]
        files = [round(noise.gauss(30, 4)) for _ in range(count)]
        assert grown(memory, files) == [], seed
        leaking = [used + 20 * MIB * at // count for at, used in enumerate(memory)]
        opening = [opened + 30 * at // count for at, opened in enumerate(files)]
        assert len(grown(leaking, opening)) == 2, seed


@pytest.mark.parametrize("count", [MINUTES_3, MINUTES_15])
def test_garbage_that_is_collected_every_minute_is_flat(count: int) -> None:
    assert grown([80 * MIB + at % 30 * MIB // 4 for at in range(count)]) == []


@pytest.mark.parametrize("part", [0.4, 0.5, 0.67, 0.8])
def test_pool_that_opens_its_connections_late_is_flat(part: float) -> None:
    opened = round(MINUTES_15 * part)
    files = [25 + (5 if at >= opened else 0) for at in range(MINUTES_15)]
    assert grown([80 * MIB] * MINUTES_15, files) == []
