"""The state machine of cases: one definition, which linters and both engines accept."""

import json
from pathlib import Path
from typing import Any

import pytest
import statelint.linter

from services.cases.engines.definition import (
    FILE,
    AfterEscalation,
    case_workflow_document,
    load_case_workflow,
)
from tests.architecture.case_pictures import pictures
from tests.cloudformation import Deployment, template

QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/board-cases"


def document(after_escalation: AfterEscalation = AfterEscalation.LOOP) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(case_workflow_document(after_escalation, QUEUE))
    return found


def problems(definition: object) -> list[str]:
    """What statelint says."""
    return [str(one) for one in statelint.linter.Linter().validate(json.dumps(definition))]


@pytest.mark.parametrize("after_escalation", AfterEscalation)
def test_statelint_is_content(after_escalation: AfterEscalation) -> None:
    assert problems(document(after_escalation)) == []


def test_statelint_finds_a_missing_state() -> None:
    broken = document()
    del broken["States"]["Close Case"]
    assert problems(broken)


def test_template_has_the_text_of_the_file() -> None:
    machine = template("cases")["Resources"]["StateMachine"]["Properties"]
    assert machine["DefinitionString"].rstrip("\n") == FILE.read_text().rstrip("\n")


@pytest.mark.parametrize("after_escalation", AfterEscalation)
def test_template_fills_in_what_the_embedded_engine_does(after_escalation: AfterEscalation) -> None:
    deployment = Deployment(AfterEscalation=after_escalation.value)
    filled = deployment.resource("workflow.StateMachine")["DefinitionSubstitutions"]
    assert filled == {"QueueUrl": "workflow.Queue", "AfterEscalation": after_escalation.state}


@pytest.mark.parametrize("after_escalation", AfterEscalation)
def test_machine_has_the_states_of_the_tutorial(after_escalation: AfterEscalation) -> None:
    states = load_case_workflow(after_escalation).states
    assert set(states) == {
        *("Open Case", "Assign Case", "Work on Case", "Is Case Resolved", "Close Case"),
        *("Escalate Case", "Fail", "Step Failed"),
    }
    assert states["Escalate Case"].targets == (after_escalation.state, "Step Failed")
    assert document()["States"]["Fail"]["Cause"] == "Engage Tier 2 Support."


def test_every_task_is_tried_again_and_its_failure_is_caught() -> None:
    tasks = {n: s for n, s in document()["States"].items() if s["Type"] == "Task"}
    assert len(tasks) == 5
    for name, state in tasks.items():
        assert state["Retry"][0]["ErrorEquals"] == ["Unavailable"], name
        assert len(state["Retry"]) == 2, name
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
        assert state["TimeoutSeconds"] <= 7 * 24 * 60 * 60, name


def test_tasks_differ_only_in_their_limits_and_what_follows() -> None:
    tasks = [s for s in document()["States"].values() if s["Type"] == "Task"]
    assert len({json.dumps([s["Resource"], s["Parameters"]]) for s in tasks}) == 1


def test_tutorial_has_the_same_states_with_functions_in_the_place_of_the_queue() -> None:
    machine = template("cases-lambda")["Resources"]["StateMachine"]["Properties"]
    tutorial = json.loads(machine["DefinitionString"])
    ours = json.loads(FILE.read_text())
    for state in ours["States"].values():
        for name in ("Resource", "Parameters", "HeartbeatSeconds"):
            state.pop(name, None)
    functions = [state.pop("Resource", None) for state in tutorial["States"].values()]
    assert tutorial == ours
    assert [name for name in functions if name is not None] == [
        f"${{{name.replace(' ', '').replace('on', 'On')}}}"
        for name in ("Open Case", "Assign Case", "Work on Case", "Close Case", "Escalate Case")
    ]


@pytest.mark.parametrize("after_escalation", AfterEscalation)
def test_statelint_is_content_with_the_tutorial(after_escalation: AfterEscalation) -> None:
    text = template("cases-lambda")["Resources"]["StateMachine"]["Properties"]["DefinitionString"]
    for name in ("OpenCase", "AssignCase", "WorkOnCase", "CloseCase", "EscalateCase"):
        text = text.replace(
            f"${{{name}}}", f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        )
    text = text.replace("${AfterEscalation}", after_escalation.state)
    assert problems(json.loads(text)) == []


def test_queue_keeps_messages_longer_than_a_person_may_take() -> None:
    queue = Deployment().resource("workflow.Queue")
    assert queue["MessageRetentionPeriod"] > document()["States"]["Work on Case"]["TimeoutSeconds"]
    assert queue["SqsManagedSseEnabled"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == "workflow.DeadLetters.Arn"


@pytest.mark.parametrize("path", pictures(), ids=lambda path: path.name)
def test_picture_is_made_from_the_definition(path: Path) -> None:
    assert path.read_text() == pictures()[path], "python -m tests.architecture.case_pictures"
