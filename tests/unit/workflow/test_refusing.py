"""A definition that uses a feature which the interpreter lacks is refused, and the message names
it."""

import pytest

from tests.unit.workflow.machines import one, passing, task
from workflow.definition import DefinitionRefused, load
from workflow.values import Json


@pytest.mark.parametrize(
    ("state", "name"),
    [
        ({"Type": "Parallel", "Branches": [], "End": True}, "Parallel"),
        ({"Type": "Map", "End": True}, "Map"),
        ({"Type": "Pass", "Assign": {}, "End": True}, "Assign"),
        ({"Type": "Pass", "ResultSelector": {}, "End": True}, "ResultSelector"),
        ({"Type": "Pass", "QueryLanguage": "JSONata", "End": True}, "JSONata"),
        ({"Type": "Pass", "InputPath": "$.a[?(@.b)]", "End": True}, r"\[\?"),
        ({"Type": "Pass", "InputPath": "$.a[-1]", "End": True}, r"\[-1\]"),
        ({"Type": "Pass", "InputPath": "$..a", "End": True}, r"\.\.a"),
        ({"Type": "Pass", "InputPath": "a", "End": True}, "InputPath"),
        ({"Type": "Pass", "ResultPath": "$.a[*]", "End": True}, "reference path"),
        ({"Type": "Pass", "ResultPath": "$$.State", "End": True}, "reference path"),
        ({"Type": "Pass", "Parameters": {"a.$": "States.UUID()"}, "End": True}, "States.UUID"),
        (
            {"Type": "Pass", "Parameters": {"a.$": "States.MathRandom(1, 2)"}, "End": True},
            "States.MathRandom",
        ),
        ({"Type": "Pass", "Parameters": {"a.$": "States.Hash('x')"}, "End": True}, "States.Hash"),
        ({"Type": "Pass", "Parameters": {"a.$": "States.Format('x'"}, "End": True}, "bracket"),
        ({"Type": "Pass", "Parameters": {"a.$": 1}, "End": True}, r"a\.\$"),
        ({"Type": "Pass"}, "Next or End"),
        ({"Type": "Pass", "End": True, "Next": "It"}, "Next or End"),
        ({"Type": "Pass", "Next": "Nowhere"}, "Nowhere"),
        ({"Type": "Succeed", "End": True}, "End"),
        ({"Type": "Fail", "Error": "A", "ErrorPath": "$.a"}, "ErrorPath"),
        ({"Type": "Wait", "End": True}, "Seconds"),
        ({"Type": "Wait", "Seconds": -1, "End": True}, "Seconds"),
        ({"Type": "Wait", "Seconds": True, "End": True}, "Seconds"),
        ({"Type": "Wait", "Timestamp": "tomorrow", "End": True}, "timestamp"),
        ({"Type": "Choice", "Choices": []}, "Choices"),
        ({"Type": "Choice", "Choices": [{"Variable": "$", "Like": 1, "Next": "It"}]}, "Like"),
        ({"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": 1, "Next": "It"}]}, "IsNull"),
        (
            {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": "1", "Next": "It"}]},
            "NumericEquals",
        ),
        ({"Type": "Choice", "Choices": [{"Not": {"And": []}, "Next": "It"}]}, "And"),
    ],
)
def test_unsupported_field_is_refused_by_name(state: dict[str, Json], name: str) -> None:
    with pytest.raises(DefinitionRefused, match=rf"^It: .*{name}"):
        one(**state)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"Resource": "arn:aws:states:::states:startExecution.sync"}, r"\.sync"),
        ({"TimeoutSecondsPath": "$.t"}, "TimeoutSecondsPath"),
        ({"Credentials": {}}, "Credentials"),
        ({"TimeoutSeconds": 0}, "TimeoutSeconds"),
        ({"TimeoutSeconds": 10, "HeartbeatSeconds": 10}, "HeartbeatSeconds"),
        ({"Retry": [{"ErrorEquals": ["A"], "JitterStrategy": "FULL"}]}, "JitterStrategy"),
        ({"Retry": [{"ErrorEquals": ["A"], "BackoffRate": 0.5}]}, "BackoffRate"),
        ({"Retry": [{"ErrorEquals": []}]}, "ErrorEquals"),
        ({"Retry": [{"ErrorEquals": ["States.Odd"]}]}, "States.Odd"),
        ({"Retry": [{"ErrorEquals": ["States.ALL", "A"]}]}, "States.ALL"),
        ({"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]}, "States.ALL"),
        ({"Catch": [{"ErrorEquals": ["A"]}]}, "Next"),
        ({"Catch": [{"ErrorEquals": ["A"], "Next": "It", "Output": 1}]}, "Output"),
    ],
)
def test_unsupported_field_of_a_task_is_refused_by_name(fields: dict[str, Json], name: str) -> None:
    with pytest.raises(DefinitionRefused, match=rf"^It: .*{name}"):
        one(**{"Type": "Task", "Resource": "arn:a:b:c", "End": True, **fields})


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}, "TimeoutSeconds": 9}, "TimeoutSec"),
        ({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}, "Version": "2.0"}, "Version"),
        ({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}, "QueryLanguage": "JSONata"}, "JS"),
        ({"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}, "B"),
        ({"States": {"A": {"Type": "Succeed"}}}, "StartAt"),
        (
            {"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "C": {"Type": "Succeed"}}},
            "^C: no",
        ),
        ({"StartAt": "A"}, "States"),
        ([], "state machine"),
    ],
)
def test_unsupported_machine_is_refused_by_name(document: Json, name: str) -> None:
    with pytest.raises(DefinitionRefused, match=name):
        load(document)


def test_supported_fields_are_loaded() -> None:
    assert passing(Comment="It passes.").states["It"].type == "Pass"
    assert task(TimeoutSeconds=10, HeartbeatSeconds=5).states["It"].type == "Task"
