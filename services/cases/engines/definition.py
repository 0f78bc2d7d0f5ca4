"""The state machine of a case, as the embedded engine loads it."""

import json
from enum import Enum
from pathlib import Path
from typing import Final

from workflow.definition import load
from workflow.states import Machine

FILE: Final = Path(__file__).parents[3] / "infra" / "case-workflow.asl.json"
"""The definition. CloudFormation fills in its `${...}`, as `load_case_workflow` does."""

WORK: Final = "Work on Case"
"""The state that waits for a person."""


class AfterEscalation(Enum):
    """What follows `Escalate Case`: work by tier 2, or the end of the execution."""

    LOOP = "loop"
    FAIL = "fail"

    @property
    def state(self) -> str:
        """The state that follows."""
        return WORK if self is AfterEscalation.LOOP else "Fail"


def case_workflow_document(after_escalation: AfterEscalation, queue: str) -> str:
    """The definition as JSON, with its substitutions."""
    text = FILE.read_text(encoding="utf-8")
    return text.replace("${AfterEscalation}", after_escalation.state).replace("${QueueUrl}", queue)


def load_case_workflow(after_escalation: AfterEscalation) -> Machine:
    """The machine. There is no queue in the embedded engine. Raises `DefinitionRefused`."""
    return load(json.loads(case_workflow_document(after_escalation, queue="")))
