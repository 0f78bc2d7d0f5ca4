"""What counts as growth of a process, and what does not."""

import pytest

from chaos.drift import MIB, Use, drifts, growth


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
