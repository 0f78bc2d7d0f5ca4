"""Calls the method of `CaseTasks` for a task's message, and turns its result into the task's
output.

A message is what `infra/case-workflow.asl.json` puts on the queue: `Token`, `State`, `Step`, and as
`Input` the state's input. That is `{"inputCaseID": "001"}` in the first state, and in the others
what the state before has put out: `{"Case": "001", "Status": 0, "Message": "Case 001: opened..."}`,
with `Status` 1 for a case that is resolved.
"""

import json
from dataclasses import dataclass
from typing import Final

from services.cases.workflow import CaseTasks, Outcome
from workflow.values import Json

_ONCE: Final = frozenset({"Open Case", "Assign Case", "Close Case"})
"""The states that a case enters once in its life. Their step is their name, so that an execution
that is started again repeats none of them."""

_LONGEST_ERROR: Final = 256
_LONGEST_CAUSE: Final = 32_768


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """What a state asks for."""

    token: str
    state: str
    step: str
    case: int
    input: dict[str, Json]

    @classmethod
    def parse(cls, body: Json) -> "TaskMessage":
        """The message in a body. Raises `ValueError` if it is not a message."""
        if not isinstance(body, dict):
            raise ValueError("a task's message is not an object")  # noqa: TRY004
        token, state, step, given = (body.get(n) for n in ("Token", "State", "Step", "Input"))
        if not isinstance(given, dict):
            raise ValueError("a task's Input is not an object")  # noqa: TRY004
        case = given.get("Case", given.get("inputCaseID"))
        if not isinstance(case, str) or not case.isascii() or not case.isdigit():
            raise ValueError("a task's message names no case")
        if not (isinstance(token, str) and isinstance(state, str) and isinstance(step, str)):
            raise ValueError("a task's message lacks Token, State or Step")  # noqa: TRY004
        return cls(token, state, state if state in _ONCE else step, int(case), given)


def first_input(case: int) -> dict[str, Json]:
    """The input of a case's execution."""
    return {"inputCaseID": f"{case:03d}"}


def output(case: int, outcome: Outcome) -> Json:
    """A state's output."""
    return {
        "Case": f"{case:03d}",
        "Status": 1 if outcome.resolved else 0,
        "Message": outcome.message,
    }


def failure(error: Exception) -> tuple[str, str]:
    """The name and the cause of a task's failure, cut to the lengths that Step Functions
    accepts."""
    return type(error).__name__[:_LONGEST_ERROR], (str(error) or repr(error))[:_LONGEST_CAUSE]


def plain_cause(cause: str) -> str:
    """The step's cause, from a failed execution's: the state `Step Failed` puts the step's error
    and cause into it."""
    try:
        found = json.loads(cause)
    except ValueError:
        return cause
    return str(found["Cause"]) if isinstance(found, dict) and "Cause" in found else cause


async def run_step(tasks: CaseTasks, message: TaskMessage) -> Json:
    """Do the task; its output, or None if a person has to decide first. Raises what the task
    raises, and `ValueError` for a state without a task."""
    case, step = message.case, message.step
    resolved = message.input.get("Status") == 1
    match message.state:
        case "Open Case":
            return output(case, Outcome(False, await tasks.open(case, step)))
        case "Assign Case":
            return output(case, Outcome(False, await tasks.assign(case, step)))
        case "Work on Case":
            outcome = await tasks.work(case, step)
            return None if outcome is None else output(case, outcome)
        case "Close Case":
            return output(case, Outcome(resolved, await tasks.close(case, step)))
        case "Escalate Case":
            return output(case, Outcome(False, await tasks.escalate(case, step)))
        case other:
            raise ValueError(f"the state {other!r} has no task")
