"""What a process remembers of those who try to post."""

from datetime import timedelta

from kernel.data.attempts import Attempts
from tests.unit.fakes import NOON

WINDOW = timedelta(seconds=5)


def test_attempt_is_repeated_within_a_window_before_or_after_the_last() -> None:
    attempts = Attempts()
    assert not attempts.repeated(1, NOON, WINDOW)
    assert not attempts.repeated(2, NOON, WINDOW)
    assert attempts.repeated(1, NOON + WINDOW / 2, WINDOW)
    assert not attempts.repeated(1, NOON + 3 * WINDOW, WINDOW)
    assert attempts.repeated(1, NOON + 2.5 * WINDOW, WINDOW)  # the clock was set back


def test_no_window_means_no_repetition() -> None:
    attempts = Attempts()
    assert not attempts.repeated(1, NOON, timedelta())
    assert not attempts.repeated(1, NOON, timedelta())


def test_users_who_waited_longest_are_forgotten_first() -> None:
    attempts = Attempts(most=2)
    for user in (1, 2, 1, 3):  # 2 is forgotten
        attempts.repeated(user, NOON, WINDOW)
    assert attempts.repeated(1, NOON, WINDOW)
    assert not attempts.repeated(2, NOON, WINDOW)
