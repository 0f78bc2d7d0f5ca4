"""Which engine runs the case workflow."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_settings import BaseSettings

from services.cases.engines.definition import AfterEscalation


def _state_machine(arn: str | None) -> str | None:
    if arn is not None and ":stateMachine:" not in arn:
        raise ValueError("must be the ARN of a state machine")
    return arn


StateMachineArn = Annotated[str | None, AfterValidator(_state_machine)]


class EngineSettings(BaseSettings):
    """With a state machine and its queue, Step Functions runs new cases; otherwise this process
    does, and `case_after_escalation` is `loop` or `fail`."""

    case_after_escalation: AfterEscalation = AfterEscalation.LOOP
    case_state_machine_arn: StateMachineArn = None
    case_queue_url: str | None = None
