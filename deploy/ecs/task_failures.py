"""Why tasks stopped: the reasons that ECS reports, and their last log lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from deploy.aws import Aws

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef

LAST_LINES: Final = 15

_EXIT_CODES: Final = {
    137: "killed: out of memory, or not stopped in time",
    139: "a segmentation fault",
    143: "stopped by SIGTERM",
}
_INTENDED: Final = re.compile(
    r"Scaling activity|Service scaling|Deployment completed|UserInitiated"
)


@dataclass(frozen=True)
class TaskFailure:
    """A stopped task: its id, its definition, the reason, and its last log lines."""

    task: str
    definition: str
    why: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        said = "".join(f"\n    | {line}" for line in self.lines)
        return f"task {self.task[:8]}: {self.why}{said}"


def failures_of_service(aws: Aws, cluster: str, service: str) -> list[TaskFailure]:
    """The tasks of a service that failed recently, in the order in which they stopped. ECS forgets
    a task about an hour after it stopped."""
    arns = aws.ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")
    if not arns["taskArns"]:
        return []
    tasks = aws.ecs.describe_tasks(cluster=cluster, tasks=arns["taskArns"][:100])["tasks"]
    failed = [task for task in tasks if _failed(task)]
    failed.sort(key=lambda task: str(task.get("stoppedAt", "")))
    return [failure(aws, task) for task in failed]


def failure(aws: Aws, task: TaskTypeDef) -> TaskFailure:
    """The reason and the last log lines of a task that stopped."""
    task_id = task.get("taskArn", "").rpartition("/")[2]
    definition = task.get("taskDefinitionArn", "")
    return TaskFailure(task_id, definition, _why(task), tuple(_lines(aws, definition, task_id)))


def _failed(task: TaskTypeDef) -> bool:
    if task.get("stopCode") in {"ServiceSchedulerInitiated", "UserInitiated"}:
        # The scheduler also stops tasks whose health check failed.
        return "health" in task.get("stoppedReason", "").lower()
    return _INTENDED.search(task.get("stoppedReason", "")) is None


def _why(task: TaskTypeDef) -> str:
    parts = [task.get("stoppedReason") or task.get("stopCode") or "it stopped"]
    for container in task.get("containers", []):
        code = container.get("exitCode")
        if container.get("reason"):
            parts.append(container["reason"])
        if code:
            meaning = f" ({_EXIT_CODES[code]})" if code in _EXIT_CODES else ""
            parts.append(f"{container.get('name', 'container')} ended with {code}{meaning}")
    return "; ".join(dict.fromkeys(parts))


def _lines(aws: Aws, definition: str, task_id: str) -> Iterator[str]:
    try:
        described = aws.ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
        for container in described.get("containerDefinitions", []):
            log = container.get("logConfiguration")
            if log is None or log["logDriver"] != "awslogs":
                continue
            options = log.get("options", {})
            prefix = options.get("awslogs-stream-prefix", "")
            found = aws.logs.get_log_events(
                logGroupName=options["awslogs-group"],
                logStreamName=f"{prefix}/{container.get('name', '')}/{task_id}",
                limit=LAST_LINES,
                startFromHead=False,
            )
            for event in found["events"]:
                yield event.get("message", "").rstrip()
    except ClientError as error:
        # A task that never started has no log stream.
        if error.response["Error"].get("Code") != "ResourceNotFoundException":
            yield f"(its log could not be read: {error})"
