"""While a command waits for instances, tasks and databases, it prints the reasons as they
appear."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy import database
from deploy.ecs import capacity, one_off_task
from deploy.ecs.services import Services
from tests.unit.deploy.fakes import FakeClock, refusal

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Group:
    """An Auto Scaling group with activities."""

    def __init__(self) -> None:
        self.autoscaling = self
        self.activities: list[dict[str, Any]] = []
        self.calls = 0

    def happen(self, status: str, message: str, at: datetime = NOW) -> None:
        name = str(len(self.activities))
        self.activities.insert(0, {"ActivityId": name, "StatusCode": status, "StartTime": at,
                                   "StatusMessage": message})  # fmt: skip

    def describe_scaling_activities(self, **_: Any) -> Any:
        self.calls += 1
        return {"Activities": list(self.activities)}


def test_each_reason_why_no_instance_starts_is_printed_once() -> None:
    group, clock = Group(), FakeClock()
    said: list[str] = []
    group.happen("Failed", "an old story", NOW - timedelta(hours=3))
    group.happen("Successful", "Launching a new EC2 instance")
    report = capacity.reporter(cast(Any, group), "group", clock.poller, said.append)
    report()
    assert said == []
    limit = "You have requested more vCPU capacity than your current vCPU limit of 1 allows"
    for _ in range(3):
        group.happen("Failed", limit)
        clock.sleep(30)
        report()
    group.happen("Cancelled", "the zone has no t3.small left")
    clock.sleep(30)
    report()
    assert said == [f"No instance: {limit}", "No instance: the zone has no t3.small left"]


def test_scaling_activities_are_not_requested_at_every_poll() -> None:
    group, clock = Group(), FakeClock()
    report = capacity.reporter(cast(Any, group), "group", clock.poller, print)
    for _ in range(40):
        report()
        clock.sleep(1)
    assert group.calls == 4
    capacity.reporter(cast(Any, group), None, clock.poller, print)()
    assert group.calls == 4


def test_unreadable_scaling_activities_are_reported_once() -> None:
    def denied(**_: Any) -> Any:
        raise refusal("AccessDenied", "no")

    aws = SimpleNamespace(autoscaling=SimpleNamespace(describe_scaling_activities=denied))
    clock = FakeClock()
    said: list[str] = []
    report = capacity.reporter(cast(Any, aws), "group", clock.poller, said.append)
    for _ in range(3):
        report()
        clock.sleep(30)
    assert len(said) == 1
    assert "could not be looked up" in said[0]


def test_reasons_are_reported_while_waiting_for_a_task() -> None:
    states = iter(["PROVISIONING", "PENDING", "STOPPED"])
    looked: list[int] = []

    def describe_tasks(**_: Any) -> Any:
        task = {"taskArn": "a/b/c", "lastStatus": next(states), "containers": [{"exitCode": 0}]}
        return {"tasks": [task]}

    ecs = SimpleNamespace(
        run_task=lambda **_: {"tasks": [{"taskArn": "a/b/c"}], "failures": []},
        describe_tasks=describe_tasks,
        describe_task_definition=lambda **_: {"taskDefinition": {}},
    )
    aws = cast(Any, SimpleNamespace(ecs=ecs))
    one_off_task.run(
        aws, "board", "definition", "provider", ["migrate"], FakeClock().poller, print,
        lambda: looked.append(1),
    )  # fmt: skip
    assert len(looked) == 3


def test_ecs_warnings_about_a_service_are_printed_as_they_arrive() -> None:
    events = [{"id": "0", "message": "unable to place a task (before this deploy)"}]

    def describe_services(**_: Any) -> Any:
        return {"services": [{"status": "ACTIVE", "events": list(events)}]}

    ecs = SimpleNamespace(
        describe_services=describe_services, list_tasks=lambda **_: {"taskArns": []}
    )
    said: list[str] = []
    aws = cast(Any, SimpleNamespace(ecs=ecs))
    look = Services(aws, "board", FakeClock().poller, said.append).failure_reporter("posts")
    events.insert(0, {"id": "1", "message": "(service posts) has started 1 tasks"})
    message = "(service posts) was unable to place a task because no container instance met all"
    events.insert(0, {"id": "2", "message": message})
    look()
    look()
    assert said == [f"posts: {message}"]


class Rds:
    """An instance that has the wanted state after a few requests."""

    def __init__(self, status: str) -> None:
        self.rds = self
        self.status = status
        self.then: list[str] = []
        self.calls: list[str] = []
        self.restart: datetime | None = None

    def describe_db_instances(self, **_: str) -> Any:
        if self.then:
            self.status = self.then.pop(0)
        found: dict[str, Any] = {"DBInstanceStatus": self.status}
        if self.restart:
            found["AutomaticRestartTime"] = self.restart
        return {"DBInstances": [found]}

    def stop_db_instance(self, **_: str) -> None:
        self.calls.append("stop")
        self.status = "stopping"

    def start_db_instance(self, **_: str) -> None:
        self.calls.append("start")
        self.then = ["starting", "starting", "available"]


@pytest.mark.parametrize("told", [None, datetime(2026, 12, 5, tzinfo=UTC)])
def test_stopping_a_database_prints_when_aws_starts_it_again(told: datetime | None) -> None:
    rds = Rds("available")
    said: list[str] = []
    rds.restart = told
    database.stop(cast(Any, rds), "board", FakeClock().poller, NOW, said.append)
    assert rds.calls == ["stop"]
    day = "05 December 2026" if told else "06 December 2026"
    assert f"AWS starts it again by itself on {day}" in said[0]


def test_stopped_database_is_not_stopped_again() -> None:
    rds = Rds("stopping")
    rds.then = ["stopping", "stopped"]
    database.stop(cast(Any, rds), "board", FakeClock().poller, NOW, print)
    assert rds.calls == []


def test_stopped_database_is_started_and_waited_for() -> None:
    rds = Rds("stopped")
    database.start(cast(Any, rds), "board", FakeClock().poller, print)
    assert (rds.calls, rds.status) == (["start"], "available")
    database.start(cast(Any, rds), "board", FakeClock().poller, print)
    assert rds.calls == ["start"]
