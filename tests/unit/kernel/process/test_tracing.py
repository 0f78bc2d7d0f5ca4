"""The id that connects everything that one request causes."""

import re

import pytest

from kernel.process.tracing import MAX_CALLS, InnerCall, Trace, begin


@pytest.mark.parametrize("given", ["7", "A-z_0", "x" * 64])
def test_id_of_the_caller_is_used(given: str) -> None:
    assert begin(given, None).request_id == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "a\nb", "a\n", "é", "a.b", "../x"])
def test_unsafe_id_is_replaced(given: str | None) -> None:
    made = [begin(given, None).request_id for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f]{16}", request_id) for request_id in made)
    assert made[0] != made[1]


def test_a_call_to_another_service_carries_both_ids() -> None:
    assert Trace("7", "Root=1-2").headers() == {"X-Request-ID": "7", "X-Amzn-Trace-Id": "Root=1-2"}
    assert Trace("7", None).headers() == {"X-Request-ID": "7"}


@pytest.mark.parametrize(("length", "kept"), [(256, True), (257, False), (60_000, False)])
def test_long_trace_id_is_left_out(length: int, kept: bool) -> None:
    assert (begin("7", "x" * length).trace_id is not None) is kept


def test_calls_are_recorded_up_to_a_bound() -> None:
    trace = begin("7", None, [])
    for _ in range(MAX_CALLS + 1):
        trace.record(InnerCall("users", "GET", "/internal/users/1", 200, 0.001))
    assert trace.calls is not None
    assert len(trace.calls) == MAX_CALLS


def test_calls_are_not_recorded_unless_asked_for() -> None:
    trace = begin("7", None)
    trace.record(InnerCall("users", "GET", "/internal/users/1", 200, 0.001))
    assert trace.calls is None
