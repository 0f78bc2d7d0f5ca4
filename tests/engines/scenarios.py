"""What both engines must do alike: six courses of a case, with the states that it passes."""

from dataclasses import dataclass, field

from services.cases.engines.definition import AfterEscalation
from tests.engines.ledger import FOR_GOOD

OPEN, ASSIGN, WORK, CHOICE = "Open Case", "Assign Case", "Work on Case", "Is Case Resolved"
CLOSE, ESCALATE = "Close Case", "Escalate Case"


@dataclass(frozen=True)
class Scenario:
    """The course of a case. `decisions` are made by people, one for each time that it waits; after
    them, nobody decides. `failures` has the number of times that a state's task fails. `message` is
    the output's; `error` and `cause` are the failure's."""

    decisions: tuple[bool, ...]
    states: tuple[str, ...]
    message: str | None = None
    error: str | None = None
    cause: str | None = None
    after_escalation: AfterEscalation = AfterEscalation.LOOP
    failures: dict[str, int] = field(default_factory=dict)
    time_limit: bool = False


SCENARIOS = {
    "resolved_at_once": Scenario(
        (True,),
        (OPEN, ASSIGN, WORK, CHOICE, CLOSE),
        "opened...assigned...resolved...closed.",
    ),
    "escalated_then_resolved": Scenario(
        (False, True),
        (OPEN, ASSIGN, WORK, CHOICE, ESCALATE, WORK, CHOICE, CLOSE),
        "opened...assigned...unresolved...escalating.resolved...closed.",
    ),
    "escalated_with_fail": Scenario(
        (False,),
        (OPEN, ASSIGN, WORK, CHOICE, ESCALATE, "Fail"),
        error="CaseUnresolved",
        cause="Engage Tier 2 Support.",
        after_escalation=AfterEscalation.FAIL,
    ),
    "time_limit_reached": Scenario(
        (),
        (OPEN, ASSIGN, WORK, ESCALATE, "Fail"),
        error="CaseUnresolved",
        cause="Engage Tier 2 Support.",
        after_escalation=AfterEscalation.FAIL,
        time_limit=True,
    ),
    "step_fails_twice_then_works": Scenario(
        (True,),
        (OPEN, ASSIGN, WORK, CHOICE, CLOSE),
        "opened...assigned...resolved...closed.",
        failures={ASSIGN: 2},
    ),
    "step_never_works": Scenario(
        (True,),
        (OPEN, ASSIGN, WORK, CHOICE, CLOSE, "Step Failed"),
        error="StepBroken",
        cause="The step does not work.",
        failures={CLOSE: FOR_GOOD},
    ),
}
