"""A board that pauses itself makes the calls of a pause, in its order, with room between them."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import botocore.session
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator

from deploy import self_pause
from deploy.errors import CannotDeployError
from deploy.installation import Installation
from deploy.settings import Settings, read
from deploy.stacks.cloudformation import Stack
from tests.cloudformation import INFRA, template
from tests.unit.deploy.fakes import FakeClock, Pages

NOW = datetime(2026, 11, 29, 22, tzinfo=UTC)
CLUSTER = {"AutoScalingGroup": "group", "PauseGroup": "board-pause", "PauseRoleArn": "arn:role"}


def _stack(part: str, outputs: dict[str, str] | None = None, **parameters: str) -> Stack:
    layer = "service" if part in ("users", "threads") else part
    known = dict.fromkeys(template(layer)["Parameters"], "x")
    known |= {"Paused": "false"} if "Paused" in known else {}
    return Stack(
        part, f"board-{part}", "CREATE_COMPLETE", {**known, **parameters}, outputs or {}, {}
    )


def _stacks(kind: str = "aurora", after: str = "4h") -> dict[str, Stack]:
    return {
        "network": _stack("network"),
        "data": _stack("data", {"DatabaseName": "board-data-x"}, DatabaseKind=kind),
        "cluster": _stack("cluster", CLUSTER, PauseAfter=after),
        "routing": _stack("routing"),
        "users": _stack("users"),
        "threads": _stack("threads"),
    }


class Scheduler:
    """EventBridge Scheduler with one group."""

    def __init__(self) -> None:
        self.scheduler = self
        self.schedules: dict[str, Any] = {}

    def create_schedule(self, **request: Any) -> None:
        model = botocore.session.get_session().get_service_model("scheduler")
        shape = model.operation_model("CreateSchedule").input_shape
        assert shape is not None
        assert not ParamValidator().validate(request, shape).has_errors()
        self.schedules[request["Name"]] = request

    def delete_schedule(self, **request: str) -> None:
        del self.schedules[request["Name"]]

    def get_schedule(self, **request: str) -> Any:
        return self.schedules[request["Name"]]

    def get_paginator(self, _: str) -> Pages:
        return Pages({"Schedules": [{"Name": name} for name in self.schedules]})


def _installation(scheduler: Scheduler, stacks: dict[str, Stack], said: list[str]) -> Installation:
    found = {stack.name: stack for stack in stacks.values()}
    return Installation(
        Settings(), cast(Any, scheduler), cast(Any, SimpleNamespace(find_own=found.get)),
        cast(Any, None), FakeClock().poller, said.append,
    )  # fmt: skip


def _times(scheduler: Scheduler) -> dict[str, datetime]:
    return {
        name: datetime.strptime(one["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(
            tzinfo=UTC
        )
        for name, one in scheduler.schedules.items()
    }


@pytest.mark.parametrize("kind", ["aurora", "instance"])
def test_calls_of_a_planned_pause_are_in_order(kind: str) -> None:
    scheduler, said = Scheduler(), list[str]()
    _installation(scheduler, _stacks(kind), said).plan_pause(NOW)
    times = _times(scheduler)
    assert times["users"] == times["threads"] == NOW + timedelta(hours=4)
    order = [
        "users",
        "instances",
        "routing",
        "network",
        *(["database"] if kind == "instance" else []),
    ]
    assert [times[name] for name in order] == sorted({times[name] for name in order})
    assert set(times) == {*order, "threads"}
    # Tasks drain within StopTimeout and the deregistration delay; instances end within minutes.
    assert times["instances"] - times["users"] >= timedelta(minutes=5)
    assert times["network"] - times["instances"] >= timedelta(minutes=10)
    assert said == ["It pauses itself at 2026-11-30 02:00 UTC; make resume-ecs postpones it"]


def test_each_planned_call_exists_and_only_pauses() -> None:
    session = botocore.session.get_session()
    for call in self_pause.calls(self_pause.Board(_stacks("instance"), ("users", "threads"))):
        service, _, operation = call.action.partition(":")
        model = session.get_service_model(service)
        names = {xform_name(name): name for name in model.operation_names}
        shape = model.operation_model(names[xform_name(operation[:1].upper() + operation[1:])])
        request = dict(call.request)
        if service == "rds":
            # Scheduler's names of parameters are those of the AWS SDK for Java.
            request = {"DBInstanceIdentifier": request["DbInstanceIdentifier"]}
        assert shape.input_shape is not None
        report = ParamValidator().validate(request, shape.input_shape)
        assert not report.has_errors(), report.generate_report()
        if operation == "updateStack":
            part = request["StackName"].removeprefix("board-")
            layer = "service" if part in ("users", "threads") else part
            told = {one["ParameterKey"]: one for one in request["Parameters"]}
            # A parameter that is not named would fall back to its default.
            assert told.keys() == template(layer)["Parameters"].keys()
            assert told.pop("Paused")["ParameterValue"] == "true"
            assert all(one["UsePreviousValue"] is True for one in told.values())
            assert len(json.dumps(request)) < 8192


def test_new_plan_replaces_the_old_one_and_none_cancels_it() -> None:
    scheduler, said = Scheduler(), list[str]()
    _installation(scheduler, _stacks(), said).plan_pause(NOW)
    _installation(scheduler, _stacks(after="45m"), said).plan_pause(NOW)
    assert _times(scheduler)["users"] == NOW + timedelta(minutes=45)
    cluster = _stacks()["cluster"]
    begins = self_pause.begins(cast(Any, scheduler), cluster)
    assert begins == (NOW + timedelta(minutes=45)).replace(tzinfo=None)
    _installation(scheduler, _stacks(after=""), said).plan_pause(NOW)
    assert scheduler.schedules == {}
    assert self_pause.begins(cast(Any, scheduler), cluster) is None


def test_board_without_a_schedule_group_has_no_plan() -> None:
    old = Stack("id", "board-cluster", "CREATE_COMPLETE", {}, {}, {})
    assert self_pause.begins(cast(Any, Scheduler()), old) is None
    self_pause.cancel(cast(Any, Scheduler()), old)


def test_planned_pause_can_be_set_and_removed() -> None:
    assert read({"PAUSE_AFTER": "4h"}).parameters == {"PauseAfter": "4h"}
    assert read({"PAUSE_AFTER": "none"}).parameters == {"PauseAfter": ""}
    from deploy.checks import choices
    from deploy.stacks import templates

    cluster = {"cluster": templates.read(INFRA, "cluster")}
    for chosen in ("4h", "45m", "2d", ""):
        choices.require_allowed({"PauseAfter": chosen}, cluster)
    with pytest.raises(CannotDeployError, match="PauseAfter=soon: must match"):
        choices.require_allowed({"PauseAfter": "soon"}, cluster)
