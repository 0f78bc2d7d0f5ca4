"""What the figures of a fault say, and when they fail."""

import pytest

from chaos.figures import checks, measure, times
from strangle.audit import Check
from strangle.history import Sample

BEGAN, ENDED = 100.0, 103.0


def sample(
    sent: float,
    ended: float,
    service: str = "posts",
    problem: str | None = None,
    *,
    server: str = "",
    what: str | None = None,
    retry_after: bool = False,
) -> Sample:
    """A request to a service."""
    what = what or f"GET /api/{service}"
    return Sample(sent, sent, ended, service, server, what, 200, problem, retry_after)


def posts(one: Sample) -> bool:
    """Whether a request needs the part that is broken: the service posts."""
    return one.service == "posts"


def failed(found: tuple[Check, ...]) -> list[str]:
    """The names of the checks that failed."""
    return [check.name for check in found if not check.passed]


def test_fault_without_a_request_in_flight_does_not_count() -> None:
    around = [sample(90, 91), sample(104, 105), sample(99, 101, "threads")]
    figures = measure(around, posts, BEGAN, ENDED)
    assert figures.met == 0
    assert failed(checks(figures, alone=True)) == ["the fault met requests"]
    assert failed(checks(figures, alone=False)) == ["the fault met requests"]


def test_requests_in_flight_and_those_during_the_fault_have_met_it() -> None:
    around = [sample(99, 100.5), sample(101, 102), sample(103.1, 103.2)]
    figures = measure(around, posts, BEGAN, ENDED)
    assert figures.met == 2
    assert failed(checks(figures, alone=True)) == []


def test_failed_reads_of_other_parts_fail_the_check() -> None:
    others = [sample(101, 101.1, "threads") for _ in range(500)]
    down = sample(101, 101.1, "threads", "502 ")
    in_flight = sample(99, 101)
    one_in_a_thousand = measure([in_flight, *others, *others, down], posts, BEGAN, ENDED)
    assert failed(checks(one_in_a_thousand, alone=True)) == []
    two = measure([in_flight, *others, *others, down, down], posts, BEGAN, ENDED)
    assert failed(checks(two, alone=True)) == ["reads of the other parts went on"]


def test_writes_of_other_parts_are_not_counted_as_reads() -> None:
    write = sample(101, 101.1, "threads", "503 ", what="POST /api/threads", retry_after=True)
    figures = measure([sample(99, 101), write], posts, BEGAN, ENDED)
    assert (figures.other_reads, figures.other_failed) == (0, ())


def test_harmless_fault_may_fail_no_request() -> None:
    served = [sample(101, 101.1), sample(102, 102.1)]
    refused = sample(102, 102.1, problem="502 ")
    quiet = measure(served, posts, BEGAN, ENDED)
    assert failed(checks(quiet, alone=False, harmless=True)) == []
    noticed = measure([*served, refused], posts, BEGAN, ENDED)
    assert failed(checks(noticed, alone=False, harmless=True)) == ["no request failed"]


@pytest.mark.parametrize(
    ("server", "retry_after", "mute"),
    [("posts", False, True), ("posts", True, False), ("", False, False)],
    ids=["a service without a time", "a service with a time", "the gateway"],
)
def test_failures_of_services_must_say_when_to_retry(
    server: str, retry_after: bool, mute: bool
) -> None:
    answer = sample(101, 101.1, problem="503 ", server=server, retry_after=retry_after)
    figures = measure([answer], posts, BEGAN, ENDED)
    assert bool(figures.mute) is mute
    assert failed(checks(figures, alone=True)) == ["failures said when to retry"] * mute


@pytest.mark.parametrize(("ended", "slow"), [(101.9, False), (102.1, True)])
def test_failures_must_come_within_a_second(ended: float, slow: bool) -> None:
    figures = measure([sample(101, ended, problem="503 ")], posts, BEGAN, ENDED)
    assert failed(times(figures, alone=True)) == ["failures came quickly"] * slow


def test_recovery_ends_with_the_last_request_that_failed_or_was_slow() -> None:
    fine = sample(108, 108.1)
    assert measure([sample(99, 101), fine], posts, BEGAN, ENDED).recovery == 0
    failure = sample(104.5, 104.6, problem="502 ")
    figures = measure([failure, fine], posts, BEGAN, ENDED)
    assert figures.recovery == pytest.approx(1.6)
    assert failed(times(figures, alone=True)) == []
    figures = measure([failure, sample(103, 105.5), fine], posts, BEGAN, ENDED)
    assert figures.recovery == pytest.approx(2.5)
    assert failed(times(figures, alone=True)) == ["the board recovered quickly"]
    assert times(figures, alone=False) == ()
