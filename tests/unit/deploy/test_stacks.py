"""Stacks in any state that an earlier run may have left, and the messages when they fail."""

from typing import Any, cast

import pytest

from deploy.errors import CannotDeployError, StackFailedError, TookTooLongError
from deploy.stacks.cloudformation import TIMEOUT, Stacks
from deploy.stacks.templates import Parameter, Template
from tests.unit.deploy.fakes import FakeClock, Pages, refusal

TEMPLATE = Template("{}", {name: Parameter(name) for name in ("Image", "Count")})
OURS = [{"Key": "Project", "Value": "board"}]


class Cloud:
    """A fake CloudFormation with one stack, which passes through the states in `course`, one for
    each time that it is described."""

    def __init__(self, state: str | None = None, tags: list[dict[str, str]] = OURS) -> None:
        self.state = state
        self.tags = tags
        self.course: list[str] = []
        self.calls: list[str] = []
        self.request: dict[str, Any] = {}
        self.events: list[dict[str, str]] = []
        self.then = {"create": ["CREATE_COMPLETE"], "update": ["UPDATE_COMPLETE"]}
        self.refusal: Exception | None = None

    def describe_stacks(self, **_: object) -> Any:
        if self.course:
            self.state = self.course.pop(0)
        if self.state is None:
            raise refusal("ValidationError", "Stack with id board-x does not exist")
        known = [{"ParameterKey": "Count", "ParameterValue": "2"}]
        stack = {"StackId": "id", "StackName": "board-x", "StackStatus": self.state}
        return {"Stacks": [{**stack, "Tags": self.tags, "Parameters": known}]}

    def _begin(self, verb: str, request: dict[str, Any]) -> Any:
        self.calls.append(verb)
        if self.refusal:
            raise self.refusal
        self.request = request
        self.course = list(self.then.get(verb, ["DELETE_COMPLETE"]))
        self.tags = OURS
        return {"StackId": "id"}

    def create_stack(self, **request: Any) -> Any:
        return self._begin("create", request)

    def update_stack(self, **request: Any) -> Any:
        return self._begin("update", request)

    def delete_stack(self, **request: Any) -> Any:
        return self._begin("delete", request)

    def continue_update_rollback(self, **request: Any) -> Any:
        self.then["continue"] = ["UPDATE_ROLLBACK_COMPLETE"]
        return self._begin("continue", request)

    def cancel_update_stack(self, **_: Any) -> None:
        self.calls.append("cancel")

    def get_paginator(self, _: str) -> Pages:
        return Pages({"StackEvents": self.events})


def _event(resource: str, state: str, reason: str = "", physical_id: str = "") -> dict[str, str]:
    return {
        "EventId": f"{resource} {state}",
        "StackId": "id",
        "LogicalResourceId": resource,
        "PhysicalResourceId": physical_id,
        "ResourceType": "AWS::ECS::Service",
        "ResourceStatus": state,
        "ResourceStatusReason": reason,
    }


def _stacks(cloud: Cloud, said: list[str] | None = None) -> Stacks:
    say = (said if said is not None else []).append
    return Stacks(cast(Any, cloud), FakeClock().poller, say, {"Project": "board"})


def test_missing_stack_is_created() -> None:
    cloud = Cloud()
    _stacks(cloud).ensure_stack("board-x", TEMPLATE, {"Image": "one"})
    assert cloud.calls == ["create"]
    assert cloud.request["Parameters"] == [{"ParameterKey": "Image", "ParameterValue": "one"}]
    assert cloud.request["Tags"] == OURS


def test_parameter_without_a_value_keeps_its_current_one() -> None:
    cloud = Cloud("CREATE_COMPLETE")
    _stacks(cloud).ensure_stack("board-x", TEMPLATE, {"Image": "two"})
    assert cloud.calls == ["update"]
    assert {"ParameterKey": "Count", "UsePreviousValue": True} in cloud.request["Parameters"]


def test_undeclared_parameters_are_not_sent() -> None:
    cloud = Cloud()
    _stacks(cloud).ensure_stack("board-x", TEMPLATE, {"Image": "one", "Other": "x"})
    assert [one["ParameterKey"] for one in cloud.request["Parameters"]] == ["Image"]


def test_unchanged_stack_is_left_alone() -> None:
    cloud, said = Cloud("UPDATE_COMPLETE"), list[str]()
    cloud.refusal = refusal("ValidationError", "No updates are to be performed.")
    assert _stacks(cloud, said).ensure_stack("board-x", TEMPLATE, {}).state == "UPDATE_COMPLETE"
    assert said == ["board-x: unchanged"]


@pytest.mark.parametrize(
    "state", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED"]
)
def test_stack_that_was_never_created_is_deleted_and_created_again(state: str) -> None:
    cloud, said = Cloud(state), list[str]()
    _stacks(cloud, said).ensure_stack("board-x", TEMPLATE, {})
    assert cloud.calls == ["delete", "create"]
    assert f"board-x: {state} since an earlier run" in said[0]


def test_operation_in_progress_is_waited_for() -> None:
    cloud, said = Cloud("UPDATE_IN_PROGRESS"), list[str]()
    cloud.course = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    _stacks(cloud, said).ensure_stack("board-x", TEMPLATE, {})
    assert cloud.calls == ["update"]
    assert "waiting for it to end" in said[0]


def test_failed_rollback_is_continued() -> None:
    cloud = Cloud("UPDATE_ROLLBACK_FAILED")
    _stacks(cloud).ensure_stack("board-x", TEMPLATE, {})
    assert cloud.calls == ["continue", "update"]


def test_stack_of_another_project_is_rejected() -> None:
    cloud = Cloud("CREATE_COMPLETE", tags=[{"Key": "Project", "Value": "another"}])
    with pytest.raises(CannotDeployError, match=r"not the board's.*choose another PROJECT"):
        _stacks(cloud).ensure_stack("board-x", TEMPLATE, {})
    with pytest.raises(CannotDeployError, match="not the board's"):
        _stacks(cloud).delete("board-x")
    assert cloud.calls == []


def test_failure_names_the_first_reason() -> None:
    cloud = Cloud("CREATE_COMPLETE")
    cloud.then["update"] = ["UPDATE_ROLLBACK_COMPLETE"]
    cloud.events = [
        _event("board-x", "UPDATE_ROLLBACK_COMPLETE", "", "id"),
        _event("Later", "UPDATE_FAILED", "Also wrong"),
        _event("Service", "UPDATE_FAILED", "No such image"),
        _event("Cancelled", "UPDATE_FAILED", "Resource update cancelled"),
        _event("board-x", "UPDATE_IN_PROGRESS", "User Initiated", "id"),
        _event("Earlier", "CREATE_FAILED", "Of another day"),
    ]
    with pytest.raises(StackFailedError, match="board-x: Service: No such image") as failed:
        _stacks(cloud).ensure_stack("board-x", TEMPLATE, {})
    assert failed.value.resource == "AWS::ECS::Service"


def test_validation_error_is_the_reason() -> None:
    cloud = Cloud()
    cloud.refusal = refusal("ValidationError", "Parameter 'Count' must be a number")
    with pytest.raises(StackFailedError, match="'Count' must be a number"):
        _stacks(cloud).ensure_stack("board-x", TEMPLATE, {})


def test_update_that_times_out_is_cancelled() -> None:
    cloud = Cloud("CREATE_COMPLETE")
    cloud.then["update"] = ["UPDATE_IN_PROGRESS"] * int(TIMEOUT)
    with pytest.raises(TookTooLongError, match="board-x"):
        _stacks(cloud).ensure_stack("board-x", TEMPLATE, {})
    assert cloud.calls == ["update", "cancel"]


def test_deleting_a_missing_stack_does_nothing() -> None:
    cloud = Cloud()
    _stacks(cloud).delete("board-x")
    assert cloud.calls == []


def test_failed_deletion_names_the_reason() -> None:
    cloud = Cloud("CREATE_COMPLETE")
    cloud.then["delete"] = ["DELETE_FAILED"]
    cloud.events = [_event("Service", "DELETE_FAILED", "It is in use")]
    with pytest.raises(StackFailedError, match="It is in use"):
        _stacks(cloud).delete("board-x")
