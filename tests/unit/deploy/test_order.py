"""The order in which resources are removed and restored."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.commands import deploy as up
from deploy.commands import destroy as down
from deploy.commands import pause
from deploy.errors import CannotDeployError
from deploy.installation import Installation
from deploy.settings import Settings
from tests.unit.deploy.fakes import FakeClock, Pages
from topology.deployments import DEPLOYMENTS, SERVERS


class RunningExecutions:
    """Step Functions with one execution of any state machine, which runs until it is stopped."""

    exceptions = SimpleNamespace(StateMachineDoesNotExist=LookupError)

    def __init__(self, done: list[str]) -> None:
        self._done = done
        self.exists = True

    def get_paginator(self, call: str) -> Any:
        assert call == "list_executions"
        return self

    def paginate(self, **wanted: str) -> Any:
        assert wanted["statusFilter"] == "RUNNING"
        if not self.exists:
            raise LookupError(wanted["stateMachineArn"])
        yield {"executions": [{"executionArn": "case-1-1"}]}

    def stop_execution(self, *, executionArn: str) -> None:  # noqa: N803 - the API's name
        self._done.append(f"{executionArn} stopped")


class Scene:
    """A project with these stacks, which records its changes in order. `paused` says whether its
    routing and network are paused."""

    def __init__(self, *there: str, paused: bool = False, **chosen: Any) -> None:
        self.there = list(there)
        self.paused = paused
        self.done: list[str] = []
        self.settings = Settings(**chosen)
        self.poller = FakeClock().poller
        self.stacks = self
        self.aws = cast(Any, self)
        self.region = "here"
        self.autoscaling = self.ecs = self.cloudformation = self.ecr = self.logs = self.rds = self
        self.elb = self.ec2 = self.secrets = self.route53 = self
        self.instance: str | None = None
        self.states = RunningExecutions(self.done)

    def say(self, _: str) -> None:
        pass

    def stack_name(self, part: str) -> str:
        return part

    def is_paused(self) -> bool:
        return self.paused

    require_not_paused = Installation.require_not_paused
    terminate_instances = Installation.terminate_instances

    def find(self, part: str) -> Any:
        if part not in self.there:
            return None
        outputs = {"Cluster": "board", "AutoScalingGroup": "group", "PublicOrigin": "http://b"}
        if part == "workflow":
            outputs["CaseStateMachineArn"] = "arn:aws:states:here:1:stateMachine:board-cases"
        has_image = part in ("users", "threads", "operator")
        known = {"Image": f"old/board/{part}:0a1b2c3d4e5f"} if has_image else {}
        return SimpleNamespace(id=part, name=part, outputs=outputs, parameters=known)

    require_stack = Installation.require_stack

    def ensure_stack(self, part: str, values: dict[str, str], _watch: object = None) -> Any:
        self.done.append(" ".join([part, *(f"{k}={v}" for k, v in values.items() if k != "Name")]))
        return SimpleNamespace(
            outputs={"PublicOrigin": "http://b", "ServiceName": part, "TaskDefinitionArn": part},
            parameters={"NatMode": "one"},
        )

    def existing_stacks(self) -> dict[str, Any]:
        return {}

    def chosen_before(self) -> dict[str, str]:
        return {"InstanceType": "t3.small"}

    def keeping_choices(self) -> Any:
        return self

    def require_possible_changes(self) -> None:
        pass

    def plan_pause(self, _: object) -> None:
        self.done.append("pause planned")

    def cancel_pause(self) -> None:
        self.done.append("no pause planned")

    def database_instance(self) -> str | None:
        return self.instance

    def start_database(self) -> None:
        if self.instance:
            self.done.append("database started")

    def describe_db_instances(self, **_: object) -> Any:
        return {"DBInstances": [{"DBInstanceStatus": "available"}]}

    def stop_db_instance(self, **_: object) -> None:
        self.done.append("database stopped")

    def delete(self, part: str) -> None:
        if part in self.there:
            self.done.append(f"no {part}")

    def services(self) -> Any:
        return SimpleNamespace(
            wait_until_stopped=lambda name: self.done.append(f"{name} drained"),
            wait_until_deployed=lambda name, _: self.done.append(f"{name} runs"),
            crash_loop_check=lambda _: lambda: None,
            failure_reporter=lambda _: lambda: None,
            failed=lambda _: frozenset(),
        )

    def update_auto_scaling_group(self, **request: Any) -> None:
        self.done.append(f"{request['DesiredCapacity']} instances")

    def describe_auto_scaling_groups(self, **_: object) -> Any:
        return {"AutoScalingGroups": [{"Instances": []}]}

    def list_container_instances(self, **_: object) -> Any:
        return {"containerInstanceArns": []}

    def describe_addresses(self, **_: object) -> Any:
        return {"Addresses": []}

    def get_paginator(self, _: str) -> Pages:
        return Pages()


UP = ("registry", "network", "data", "cluster", "routing", "operator", "workflow", "users",
      "threads", "observability")  # fmt: skip


def test_pause_deletes_dependents_before_what_they_need() -> None:
    scene = Scene(*UP)
    pause.pause(cast(Any, scene))
    assert scene.done == [
        "no pause planned",
        "threads Paused=true",
        "users Paused=true",
        "users drained",
        "threads drained",
        "0 instances",
        "routing Paused=true",
        "network Paused=true",
    ]


def test_interrupted_pause_continues_without_updating_services() -> None:
    # Their target groups have no load balancer any more, so ECS would refuse.
    scene = Scene(*UP, paused=True)
    pause.pause(cast(Any, scene))
    assert scene.done == [
        "no pause planned", "0 instances", "routing Paused=true", "network Paused=true"
    ]  # fmt: skip


REGISTRY = SimpleNamespace(repository=lambda name: f"new/{name}")


@pytest.mark.parametrize("instance", [None, "board-data-singledatabase"])
def test_resume_starts_the_database_and_creates_listeners_before_services(
    instance: str | None,
) -> None:
    scene = Scene(*UP, paused=True, deployment="microservices")
    scene.instance = instance
    origin = pause.resume(cast(Any, scene), cast(Any, REGISTRY), lambda *_: {})
    assert origin == "http://b"
    assert scene.done == [
        *(["database started"] if instance else []),
        "network Paused=false",
        "data",
        # Instances get the network's current connection to the Internet.
        "cluster NatMode=one",
        "routing Paused=false",
        # The same revision, with its new address.
        "operator Image=new/board/board:0a1b2c3d4e5f",
        "workflow",
        "users Paused=false Image=new/board/users:0a1b2c3d4e5f",
        "users runs",
        "threads Paused=false Image=new/board/threads:0a1b2c3d4e5f",
        "threads runs",
        "observability",
        "pause planned",
    ]


def test_pause_stops_a_database_instance_last() -> None:
    scene = Scene(*UP)
    scene.instance = "board-data-singledatabase"
    pause.pause(cast(Any, scene))
    assert scene.done[-2:] == ["network Paused=true", "database stopped"]


def test_paused_board_rejects_a_deploy() -> None:
    scene = Scene(*UP, paused=True)
    with pytest.raises(CannotDeployError, match="make resume-ecs"):
        up.deploy(cast(Any, scene), cast(Any, None), cast(Any, None), "0123456789ab", lambda *_: {})
    assert scene.done == []


def test_destroy_deletes_dependents_before_what_they_use() -> None:
    scene = Scene(*UP)
    down.destroy(cast(Any, scene))
    assert scene.done == [
        "no pause planned",
        "no observability",
        "no threads",
        "no users",
        # AWS keeps a state machine until its executions have ended.
        "case-1-1 stopped",
        "no workflow",
        "no operator",
        "0 instances",
        "no routing",
        "no cluster",
        "no data",
        "no network",
        "no registry",
    ]


def test_state_machine_that_is_gone_stops_no_destroy() -> None:
    scene = Scene("network", "registry", "workflow")
    scene.states.exists = False
    down.destroy(cast(Any, scene))
    assert scene.done == ["no pause planned", "no workflow", "no network", "no registry"]


def test_interrupted_destroy_continues() -> None:
    scene = Scene("network", "registry")
    down.destroy(cast(Any, scene))
    assert scene.done == ["no pause planned", "no network", "no registry"]


@pytest.mark.parametrize("answer", ["", "yes", "boards"])
def test_destroy_requires_the_project_name(answer: str) -> None:
    scene = Scene(*UP)
    scene.there = []
    with pytest.raises(CannotDeployError, match="nothing was deleted"):
        down.require_confirmation(cast(Any, _with_there(scene)), lambda _: answer)
    down.require_confirmation(cast(Any, _with_there(scene)), lambda _: "board")


def test_destroy_without_a_terminal_requires_the_setting() -> None:
    with pytest.raises(CannotDeployError, match="set CONFIRM=board"):
        down.require_confirmation(cast(Any, Scene()), None)
    with pytest.raises(CannotDeployError, match="nothing was deleted"):
        down.require_confirmation(cast(Any, Scene(confirm="another")), None)
    down.require_confirmation(cast(Any, Scene(confirm="board")), None)


def _with_there(scene: Scene) -> Scene:
    cast(Any, scene).existing_stacks = dict
    return scene


def test_services_are_created_after_those_that_they_call() -> None:
    order = {name: position for position, name in enumerate(SERVERS)}
    assert order["users"] < order["threads"] < order["posts"]
    for services in DEPLOYMENTS.values():
        assert list(services) == sorted(services, key=order.__getitem__)
