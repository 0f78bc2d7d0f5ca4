"""Scripted answers of tasks, the same for the interpreter and for Step Functions."""

from dataclasses import dataclass
from typing import TypeAlias

from workflow.values import Json


@dataclass(frozen=True)
class Succeed:
    """Complete the task with this output; `ECHO` stands for its input."""

    output: Json


@dataclass(frozen=True)
class Fail:
    """Let the task fail."""

    error: str
    cause: str = "It is scripted."


@dataclass(frozen=True)
class Ignore:
    """Never complete the task."""


Answer: TypeAlias = Succeed | Fail | Ignore
ECHO = "(the task's input)"


class Answers:
    """The answers of each state, one for each attempt; the last one again after that."""

    def __init__(self, answers: dict[str, list[Answer]]) -> None:
        self._answers = {state: list(planned) for state, planned in answers.items()}

    def next(self, state: str, given: Json) -> Answer:
        """The answer to an attempt with this input."""
        planned = self._answers.get(state, [Succeed(ECHO)])
        answer = planned.pop(0) if len(planned) > 1 else planned[0]
        return Succeed(given) if answer == Succeed(ECHO) else answer
