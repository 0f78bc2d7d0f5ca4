"""Runs a machine on the interpreter, with a clock that the test sets."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.step_functions.script import Answers, Fail, Ignore, Succeed
from workflow.record import Execution, Status
from workflow.states import Machine
from workflow.transition import (
    Call,
    Event,
    Happened,
    Proceed,
    ProceedAt,
    TaskDelivered,
    TaskFailed,
    TaskSucceeded,
    advance,
    start,
)
from workflow.values import Json

START = datetime(2026, 11, 30, tzinfo=UTC)
MOST_TRANSITIONS = 1_000


@dataclass(frozen=True)
class Finished:
    """An execution that has ended, and its history."""

    execution: Execution
    history: list[Happened]

    @property
    def states(self) -> list[str]:
        """The states that were entered, in their order."""
        return [one.state for one in self.history if one.state and "Entered" in one.type]


def run(machine: Machine, data: Json, answers: Answers) -> Finished:
    """Run to the end. Every record goes through JSON, as it does in a database."""
    now = START
    transition = start(machine, "machine", "execution", data, now)
    history = list(transition.history)
    for _ in range(MOST_TRANSITIONS):
        if transition.execution.status is not Status.RUNNING:
            return Finished(transition.execution, history)
        event: Event = Proceed()
        calls = [one for one in transition.commands if isinstance(one, Call)]
        if calls:
            event = _answer(calls[0], answers)
        else:
            now = max(now, *(one.at for one in transition.commands if isinstance(one, ProceedAt)))
        stored = json.loads(json.dumps(transition.execution.to_json()))
        transition = advance(machine, Execution.from_json(stored), event, now)
        history += transition.history
        now += timedelta(milliseconds=1)
    raise AssertionError(f"it goes on for ever: {history[-5:]}")


def _answer(call: Call, answers: Answers) -> Event:
    body = call.input
    if isinstance(body, dict) and "MessageBody" in body:
        body = body["MessageBody"]
    given = body["input"] if isinstance(body, dict) and "input" in body else body
    answer = answers.next(call.state, given)
    if isinstance(answer, Succeed):
        return TaskSucceeded(call.token, answer.output)
    if isinstance(answer, Fail):
        return TaskFailed(call.token, answer.error, answer.cause)
    assert isinstance(answer, Ignore)
    return TaskDelivered(call.token)
