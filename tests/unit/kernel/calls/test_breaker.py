"""The states of the circuit breaker, with a clock that the test moves."""

import asyncio

import pytest

from kernel.calls.breaker import FAILURES, OPEN_SECONDS, Breaker, State
from kernel.errors import NotFound, Unavailable


class Clock:
    """Seconds that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        """The current moment."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is moved."""
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """A circuit that is closed."""
    return Breaker("users", clock)


def state(breaker: Breaker) -> State:
    """Its state now; mypy would take that of an attribute for constant."""
    return breaker.state


def fail(breaker: Breaker, times: int = 1) -> None:
    """Calls that fail."""
    for _ in range(times):
        with pytest.raises(Unavailable, match="no answer"), breaker.call():
            raise Unavailable("no answer")


def refused(breaker: Breaker) -> Unavailable:
    """A call that the circuit refuses."""
    with pytest.raises(Unavailable) as failure, breaker.call():
        raise AssertionError("the call was let through")
    return failure.value


def test_opens_after_failures_in_a_row(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    assert state(breaker) is State.CLOSED
    fail(breaker)
    assert state(breaker) is State.OPEN


def test_open_circuit_refuses_calls_and_says_when_to_retry(breaker: Breaker) -> None:
    fail(breaker, FAILURES)
    failure = refused(breaker)
    assert failure.headers == {"Retry-After": "1"}
    assert "users" in failure.detail


def test_an_answer_between_failures_keeps_it_closed(breaker: Breaker) -> None:
    for _ in range(3):
        fail(breaker, FAILURES - 1)
        with breaker.call():
            pass
    assert state(breaker) is State.CLOSED


def test_failure_that_does_not_count_leaves_it_closed(breaker: Breaker) -> None:
    for _ in range(2 * FAILURES):
        with pytest.raises(Unavailable, match="no answer"), breaker.call(counts=False):
            raise Unavailable("no answer")
    assert state(breaker) is State.CLOSED


def test_a_failure_of_the_contract_is_an_answer(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    with pytest.raises(NotFound), breaker.call():
        raise NotFound("There is no such thread.")
    fail(breaker, FAILURES - 1)
    assert state(breaker) is State.CLOSED


def test_half_open_circuit_lets_one_call_through(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += OPEN_SECONDS
    assert state(breaker) is State.HALF_OPEN
    with breaker.call():
        refused(breaker)
    assert state(breaker) is State.CLOSED


def test_failed_trial_opens_it_again_for_as_long(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += OPEN_SECONDS
    fail(breaker)
    clock.now += OPEN_SECONDS * 0.9
    refused(breaker)
    clock.now += OPEN_SECONDS * 0.2
    with breaker.call():
        pass
    assert state(breaker) is State.CLOSED


def test_cancelled_trial_leaves_the_next_call_to_try(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.now += OPEN_SECONDS
    with pytest.raises(asyncio.CancelledError), breaker.call():
        raise asyncio.CancelledError
    assert state(breaker) is State.HALF_OPEN
    with breaker.call():
        pass
    assert state(breaker) is State.CLOSED


def test_late_failures_of_calls_that_began_before_do_not_keep_it_open(
    breaker: Breaker, clock: Clock
) -> None:
    late = breaker.call()
    late.__enter__()
    fail(breaker, FAILURES)
    clock.now += OPEN_SECONDS * 0.9
    failure = Unavailable("late")
    assert not late.__exit__(Unavailable, failure, None)
    clock.now += OPEN_SECONDS * 0.1
    assert state(breaker) is State.HALF_OPEN


def test_circuit_that_closed_needs_all_failures_to_open_again(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, FAILURES)
    clock.now += OPEN_SECONDS
    with breaker.call():
        pass
    fail(breaker, FAILURES - 1)
    assert state(breaker) is State.CLOSED
