"""ECS's state is compared with what was deployed, and the first reason for a difference is
named."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.ecs.services import MAX_FAILED_TASKS, Services
from deploy.errors import CannotDeployError
from tests.unit.deploy.fakes import FakeClock, refusal

OLD, NEW = (f"arn:aws:ecs:r:1:task-definition/board-posts:{revision}" for revision in (1, 2))


class Ecs:
    """One service, and tasks that have stopped."""

    def __init__(self, *deployments: tuple[str, str, str]) -> None:
        self.deployments = list(deployments)
        self.stopped: list[dict[str, Any]] = []
        self.log: list[str] = []

    def describe_services(self, **_: object) -> Any:
        described = [
            {"status": status, "taskDefinition": definition, "rolloutState": state}
            for status, definition, state in self.deployments
        ]
        events = [{"message": "(service posts) has started 1 tasks"}]
        service = {"status": "ACTIVE", "serviceName": "posts", "runningCount": 1}
        return {"services": [{**service, "deployments": described, "events": events}]}

    def list_tasks(self, **_: object) -> Any:
        return {"taskArns": [task["taskArn"] for task in self.stopped]}

    def describe_tasks(self, **_: object) -> Any:
        return {"tasks": self.stopped}

    def describe_task_definition(self, **_: object) -> Any:
        options = {"awslogs-group": "/board/posts", "awslogs-stream-prefix": "posts"}
        container = {
            "name": "board",
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        }
        return {"taskDefinition": {"containerDefinitions": [container]}}

    def get_log_events(self, **_: object) -> Any:
        if not self.log:
            raise refusal("ResourceNotFoundException", "no such stream")
        return {"events": [{"message": line} for line in self.log]}


def _failed(number: int, at: str, **told: Any) -> dict[str, Any]:
    return {
        "taskArn": f"arn:aws:ecs:r:1:task/board/{number:032}",
        "taskDefinitionArn": NEW,
        "stoppedAt": at,
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        **told,
    }


def _services(ecs: Ecs, clock: FakeClock | None = None) -> Services:
    aws = cast(Any, SimpleNamespace(ecs=ecs, logs=ecs))
    return Services(aws, "board", (clock or FakeClock()).poller, lambda _: None)


def test_service_on_the_deployed_definition_is_accepted() -> None:
    _services(Ecs(("PRIMARY", NEW, "COMPLETED"))).wait_until_deployed("posts", NEW)


def test_waits_for_a_rollout() -> None:
    ecs = Ecs(("PRIMARY", NEW, "IN_PROGRESS"), ("ACTIVE", OLD, "COMPLETED"))
    clock = FakeClock(lambda: setattr(ecs, "deployments", [("PRIMARY", NEW, "COMPLETED")]))
    _services(ecs, clock).wait_until_deployed("posts", NEW)
    assert clock.now > 0


def test_service_steady_on_the_old_definition_was_rolled_back() -> None:
    ecs = Ecs(("PRIMARY", OLD, "COMPLETED"), ("ACTIVE", NEW, "FAILED"))
    container = {"name": "board", "exitCode": 137, "reason": "OutOfMemoryError"}
    ecs.stopped = [
        _failed(2, "2026-01-02", containers=[{"name": "board", "exitCode": 3}]),
        _failed(1, "2026-01-01", containers=[container]),
    ]
    ecs.log = ["starting", "cannot allocate memory"]
    with pytest.raises(CannotDeployError) as refused:
        _services(ecs).wait_until_deployed("posts", NEW)
    said = str(refused.value)
    assert "rolled it back to board-posts:1, which is still serving" in said
    assert "OutOfMemoryError; board ended with 137 (killed: out of memory" in said
    assert "| cannot allocate memory" in said
    assert "ended with 3" not in said


def test_rollout_that_times_out_reports_the_last_event() -> None:
    ecs = Ecs(("PRIMARY", NEW, "IN_PROGRESS"))
    with pytest.raises(CannotDeployError, match=r"not within 20 minutes.*has started 1 tasks"):
        _services(ecs).wait_until_deployed("posts", NEW)


def test_failed_image_pull_is_reported_without_a_log() -> None:
    ecs = Ecs(("PRIMARY", NEW, "FAILED"))
    ecs.stopped = [
        _failed(1, "x", stopCode="TaskFailedToStart", stoppedReason="CannotPullContainerError: x")
    ]
    with pytest.raises(CannotDeployError, match=r"does not start.*CannotPullContainerError"):
        _services(ecs).wait_until_deployed("posts", NEW)


def test_tasks_stopped_by_request_have_not_failed() -> None:
    ecs = Ecs(("PRIMARY", NEW, "FAILED"))
    ecs.stopped = [_failed(1, "x", stopCode="UserInitiated", stoppedReason="Scaling down")]
    with pytest.raises(CannotDeployError, match="has started 1 tasks"):
        _services(ecs).wait_until_deployed("posts", NEW)


def test_repeated_task_failures_end_the_wait() -> None:
    ecs = Ecs(("PRIMARY", NEW, "COMPLETED"))
    ecs.stopped = [_failed(0, "before")]
    look = _services(ecs).crash_loop_check(["posts"])
    for number in range(1, MAX_FAILED_TASKS):
        ecs.stopped.append(_failed(number, f"after {number}"))
        look()
    ecs.stopped.append(_failed(9, "after 9"))
    with pytest.raises(CannotDeployError, match="task 00000000: Essential container"):
        look()
