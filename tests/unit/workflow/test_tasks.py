"""A task: its attempts, its time limits and its token."""

from datetime import timedelta

import pytest

from tests.unit.workflow.machines import NOW, after, begun, task
from workflow.record import Called, Execution, Status, Waiting
from workflow.transition import (
    Call,
    Proceed,
    ProceedAt,
    StaleToken,
    TaskDelivered,
    TaskFailed,
    TaskHeartbeat,
    TaskSucceeded,
    commands,
)
from workflow.values import Json

CATCH: Json = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]


def token(execution: Execution) -> str:
    assert isinstance(execution.phase, Called)
    return execution.phase.token


def pauses(*, attempts: int, **retrier: Json) -> list[float]:
    """The seconds between the attempts of a task that always fails."""
    machine = task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": attempts, **retrier}])
    execution, passed, found = begun(machine, {}), 0.0, []
    for _ in range(attempts):
        failed = TaskFailed(token(execution), "E", "")
        execution = after(machine, execution, failed, passed).execution
        assert isinstance(execution.phase, Waiting)
        found.append((execution.phase.until - NOW).total_seconds() - passed)
        passed += found[-1]
        execution = after(machine, execution, Proceed(), passed).execution
    last = after(machine, execution, TaskFailed(token(execution), "E", "")).execution
    assert last.status is Status.FAILED
    return found


def test_pauses_grow_by_the_backoff_rate() -> None:
    assert pauses(attempts=3, IntervalSeconds=3, BackoffRate=1.5) == [3, 4.5, 6.75]


def test_pauses_have_the_defaults_of_the_language() -> None:
    assert pauses(attempts=3) == [1, 2, 4]


def test_pauses_are_at_most_the_longest_delay() -> None:
    assert pauses(attempts=4, IntervalSeconds=2, MaxDelaySeconds=5) == [2, 4, 5, 5]


def test_attempt_is_not_made_before_its_time() -> None:
    machine = task(Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 5}])
    execution = begun(machine, {})
    waiting = after(machine, execution, TaskFailed(token(execution), "E", "")).execution
    assert after(machine, waiting, Proceed(), 4.9).execution is waiting


def test_every_attempt_has_a_token_of_its_own() -> None:
    machine = task(Retry=[{"ErrorEquals": ["States.ALL"]}])
    first = begun(machine, {})
    waiting = after(machine, first, TaskFailed(token(first), "E", "")).execution
    second = after(machine, waiting, Proceed(), 1).execution
    assert token(first) != token(second)
    with pytest.raises(StaleToken):
        after(machine, second, TaskSucceeded(token(first), {}))


def test_second_answer_is_refused() -> None:
    machine = task()
    execution = begun(machine, {})
    answer = TaskSucceeded(token(execution), {"n": 1})
    ended = after(machine, execution, answer).execution
    assert (ended.status, ended.data) == (Status.SUCCEEDED, {"n": 1})
    with pytest.raises(StaleToken):
        after(machine, ended, answer)


def test_call_is_repeated_until_it_is_delivered() -> None:
    machine = task(TimeoutSeconds=60)
    execution = begun(machine, {"n": 1})
    limit = ProceedAt(NOW + timedelta(seconds=60))
    call = Call(token(execution), "It", "arn:aws:lambda:::function:f", {"n": 1})
    assert commands(machine, execution) == (call, limit)
    delivered = after(machine, execution, TaskDelivered(token(execution)))
    assert delivered.commands == (limit,)


def test_time_limit_ends_the_attempt() -> None:
    machine = task(TimeoutSeconds=60, Catch=CATCH)
    execution = begun(machine, {})
    assert after(machine, execution, Proceed(), 59.9).execution is execution
    late = after(machine, execution, Proceed(), 60)
    assert [one.type for one in late.history] == ["TaskTimedOut", "TaskStateExited"]
    assert late.execution.data == {"Error": "States.Timeout", "Cause": "The task timed out."}


def test_heartbeat_postpones_its_limit() -> None:
    machine = task(HeartbeatSeconds=10)
    execution = begun(machine, {})
    alive = after(machine, execution, TaskHeartbeat(token(execution)), 8).execution
    assert after(machine, alive, Proceed(), 17.9).execution is alive
    assert after(machine, alive, Proceed(), 18).execution.error == "States.HeartbeatTimeout"


@pytest.mark.parametrize("error", ["States.Timeout", "States.HeartbeatTimeout"])
def test_missed_heartbeat_counts_as_a_timeout(error: str) -> None:
    machine = task(Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Caught"}])
    execution = begun(machine, {})
    failed = after(machine, execution, TaskFailed(token(execution), error, "")).execution
    assert failed.state == "Caught"


def test_task_failed_does_not_match_a_timeout() -> None:
    machine = task(Catch=[{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}])
    execution = begun(machine, {})
    failed = after(machine, execution, TaskFailed(token(execution), "States.Timeout", ""))
    assert failed.execution.status is Status.FAILED


def test_context_has_no_token_for_a_task_that_does_not_wait_for_it() -> None:
    given: Json = {"token.$": "$$.Task.Token"}
    waits = task(Parameters=given)
    assert begun(waits, {}).error == "States.ParameterPathFailure"


def test_missing_parameter_can_be_caught() -> None:
    machine = task(Parameters={"a.$": "$.gone"}, Catch=CATCH)
    assert begun(machine, {}).state == "Caught"


def test_fault_of_the_definition_is_never_caught() -> None:
    machine = task(InputPath="$.gone", Catch=CATCH)
    assert begun(machine, {}).error == "States.Runtime"


def test_result_that_does_not_fit_can_be_caught() -> None:
    machine = task(ResultPath="$.text.inside", Catch=CATCH)
    execution = begun(machine, {"text": "no object"})
    ended = after(machine, execution, TaskSucceeded(token(execution), 1)).execution
    assert ended.state == "Caught"
    assert isinstance(ended.data, dict)
    assert ended.data["Error"] == "States.ResultPathMatchFailure"
