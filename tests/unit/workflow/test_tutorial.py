"""The functions of the tutorial's template, called by the interpreter with its definition."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cloudformation import template
from tests.step_functions import interpreted
from tests.step_functions.script import Answer, Answers, Succeed
from workflow.definition import load
from workflow.record import Status
from workflow.values import Json

RESOURCES = template("cases-lambda")["Resources"]
FUNCTIONS = {
    "Open Case": "OpenCase",
    "Assign Case": "AssignCase",
    "Work on Case": "WorkOnCase",
    "Close Case": "CloseCase",
    "Escalate Case": "EscalateCase",
}
Handler = Callable[[Any, None], Any]


class Functions(Answers):
    """Calls the function of a state."""

    def __init__(self) -> None:
        super().__init__({})
        self.handlers = {state: _handler(name) for state, name in FUNCTIONS.items()}

    def next(self, state: str, given: Json) -> Answer:
        return Succeed(self.handlers[state](given, None))


def _handler(name: str) -> Handler:
    found: dict[str, Any] = {}
    exec(RESOURCES[name]["Properties"]["Code"]["ZipFile"], found)  # noqa: S102 - our own template
    handler: Handler = found["handler"]
    return handler


def run(after_escalation: str) -> interpreted.Finished:
    text = RESOURCES["StateMachine"]["Properties"]["DefinitionString"]
    document = json.loads(text.replace("${AfterEscalation}", after_escalation))
    return interpreted.run(load(document), {"inputCaseID": "001"}, Functions())


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ("at-once", "Case 001: opened...assigned...resolved...closed."),
        (
            "after-escalation",
            "Case 001: opened...assigned...unresolved...escalating.resolved...closed.",
        ),
    ],
)
def test_tutorial_resolves_a_case(
    outcome: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOME", outcome)
    execution = run("Work on Case").execution
    assert execution.status is Status.SUCCEEDED
    assert execution.data == {"Case": "001", "Status": 1, "Message": message}


def test_tutorial_fails_after_an_escalation_if_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCOME", "after-escalation")
    execution = run("Fail").execution
    assert (execution.status, execution.cause) == (Status.FAILED, "Engage Tier 2 Support.")
    assert execution.data == {
        "Case": "001",
        "Status": 0,
        "Message": "Case 001: opened...assigned...unresolved...escalating.",
    }


def test_chance_resolves_a_case_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCOME", "random")
    for _ in range(20):
        assert run("Work on Case").states[-1] == "Close Case"


def test_every_outcome_of_the_template_is_one_that_the_function_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for outcome in template("cases-lambda")["Parameters"]["Outcome"]["AllowedValues"]:
        monkeypatch.setenv("OUTCOME", outcome)
        found = _handler("WorkOnCase")({"Case": "001", "Message": ""}, None)
        assert found["Status"] in {0, 1}
