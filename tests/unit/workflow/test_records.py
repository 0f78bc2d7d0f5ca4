"""The record of an execution, on which a host can rely after a crash."""

import json

import pytest

from tests.step_functions import interpreted
from tests.step_functions.machines import CASES
from tests.step_functions.script import Answers
from tests.unit.workflow.machines import NOW, after, begun, task
from workflow.definition import load
from workflow.record import Execution
from workflow.transition import Proceed, TaskDelivered, TaskFailed, advance, commands, start


@pytest.mark.parametrize("name", CASES)
def test_record_survives_json(name: str) -> None:
    case = CASES[name]
    ended = interpreted.run(load(case.definition), case.input, Answers(case.answers)).execution
    assert Execution.from_json(json.loads(json.dumps(ended.to_json()))) == ended


def test_transition_is_a_function_of_its_arguments() -> None:
    for case in CASES.values():
        machine = load(case.definition)
        started = start(machine, "m", "n", case.input, NOW).execution
        assert advance(machine, started, Proceed(), NOW) == advance(
            machine, started, Proceed(), NOW
        )


def test_stored_record_has_the_commands_of_its_transition() -> None:
    machine = task(TimeoutSeconds=9, Retry=[{"ErrorEquals": ["States.ALL"]}])
    execution = begun(machine, {})
    token = f"{execution.name}/{execution.number}"
    for event in (TaskDelivered(token), TaskFailed(token, "E", "")):
        moved = after(machine, execution, event)
        stored = Execution.from_json(json.loads(json.dumps(moved.execution.to_json())))
        assert commands(machine, stored) == moved.commands


def test_transitions_are_counted() -> None:
    machine = task()
    started = start(machine, "m", "n", {}, NOW).execution
    assert (started.number, begun(machine, {}).number) == (1, 2)
