"""The settings of the cases context."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kernel.data.settings import DatabaseSettings
from kernel.errors import Policy
from kernel.process.settings import DatabasePassword, DatabaseUrl


def _state_machine(arn: str | None) -> str | None:
    if arn is not None and ":stateMachine:" not in arn:
        raise ValueError("must be the ARN of a state machine")
    return arn


class CaseSettings(DatabaseSettings):
    """The database, and limits. A user may report posts `report_limit` times in `report_window`
    seconds; a limit of 0 is none.

    With a state machine and its queue, Step Functions runs new cases; otherwise this process does,
    and after an escalation a case is worked on again (`loop`), or its execution fails (`fail`)."""

    cases_database_password: DatabasePassword = None
    cases_database_url: DatabaseUrl
    report_limit: int = Field(default=20, ge=0)
    report_window: int = Field(default=24 * 60 * 60, ge=1)
    case_after_escalation: Literal["loop", "fail"] = "loop"
    case_state_machine_arn: Annotated[str | None, AfterValidator(_state_machine)] = None
    case_queue: str | None = None

    @property
    def for_reports(self) -> Policy:
        """The limit of reports."""
        return Policy("report", self.report_limit, self.report_window)
