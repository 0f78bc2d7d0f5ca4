"""Twenty state machines end on the interpreter as they do on the emulator's Step Functions, with
the same history. What the emulator does differently from AWS is listed here with its reason."""

import json

import pytest

from tests.step_functions import interpreted
from tests.step_functions.emulated import Entry, StepFunctions
from tests.step_functions.emulator import Emulator
from tests.step_functions.machines import CASES, QUEUE, Case
from tests.step_functions.script import Answers
from workflow.definition import load
from workflow.record import Status
from workflow.transition import Happened
from workflow.values import Json


@pytest.fixture(scope="session")
def step_functions(emulated: Emulator) -> StepFunctions:
    """Step Functions on the emulator."""
    return StepFunctions(emulated)


@pytest.mark.parametrize("name", CASES)
def test_interpreter_agrees_with_step_functions(name: str, step_functions: StepFunctions) -> None:
    case = CASES[name]
    ours = interpreted.run(load(case.definition), case.input, Answers(case.answers))
    theirs = step_functions.run(
        step_functions.create(_with_queue(case, step_functions.queue)),
        case.input,
        Answers(case.answers),
    )
    assert [_of_aws(one) for one in theirs.history] == [_comparable(one) for one in ours.history]
    execution = ours.execution
    assert theirs.status == execution.status.value
    if execution.status is Status.SUCCEEDED:
        assert theirs.output == execution.data
    else:
        assert theirs.error == execution.error


def test_there_are_twenty_machines() -> None:
    assert len(CASES) == 20


def _with_queue(case: Case, url: str) -> Json:
    found: Json = json.loads(json.dumps(case.definition).replace(QUEUE, url))
    return found


def _comparable(one: Happened) -> Entry:
    """An entry of ours. Causes that the service words itself are not compared."""
    return _without_wording(Entry(one.type, one.state, dict(one.details)))


def _of_aws(one: Entry) -> Entry:
    """An entry of the emulator's, as AWS would have written it."""
    kind, details = one.type, dict(one.details)
    if kind == "TaskFailed" and details.get("error") == "States.Timeout":
        kind = "TaskTimedOut"  # the emulator has no such event
    if kind in {"TaskSucceeded", "TaskFailed", "TaskTimedOut"}:
        details.pop("resource", None)  # AWS has it in every event of a task; ours in the first
    return _without_wording(Entry(kind, one.state, details))


def _without_wording(one: Entry) -> Entry:
    details = dict(one.details)
    if str(details.get("error", "")).startswith("States."):
        details.pop("cause", None)
    return Entry(one.type, one.state, details)
