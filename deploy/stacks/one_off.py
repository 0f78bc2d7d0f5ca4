"""Commands of the board that are run once, as a task: `bootstrap`, `migrate`, `grant-admin`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from deploy.errors import CannotDeployError
from deploy.poller import Pace
from deploy.stacks.task_failures import TaskFailure, failure

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef

    from deploy.aws import Aws

WITHIN: Final = 15 * 60.0
"""Seconds: an instance has to start first, and the database to wake."""

_WAITING: Final = 30.0
CONTAINER: Final = "board"


def run(
    aws: Aws,
    cluster: str,
    definition: str,
    provider: str,
    command: Sequence[str],
    pace: Pace,
    say: Callable[[str], None],
) -> TaskFailure:
    """Run the command to its end, and return what is known of the task, its last lines among it.
    Raises `CannotDeployError` with the reason when the command fails or never starts. The task
    takes its capacity from `provider`: one with a launch type would never start an instance."""
    what = f"`board {' '.join(command)}`"
    started = aws.ecs.run_task(
        cluster=cluster,
        taskDefinition=definition,
        count=1,
        capacityProviderStrategy=[{"capacityProvider": provider, "weight": 1}],
        overrides={"containerOverrides": [{"name": CONTAINER, "command": list(command)}]},
        propagateTags="TASK_DEFINITION",
        startedBy="deploy",
    )
    if not started["tasks"]:
        reasons = "; ".join(failed.get("reason", "") for failed in started["failures"])
        raise CannotDeployError(f"{what} could not be started: {reasons or 'ECS gives no reason'}")
    arn = started["tasks"][0].get("taskArn", "")
    say(f"{what}: running it ...")
    spoke = pace.now()

    def look() -> TaskTypeDef | None:
        nonlocal spoke
        found = aws.ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
        if not found:
            # ECS may need a moment to know what it has just started.
            return None
        (task,) = found
        status = task.get("lastStatus", "")
        if pace.now() - spoke > _WAITING:
            spoke = pace.now()
            waiting = ": waiting for an instance" if status == "PROVISIONING" else ""
            say(f"{what}: {status}{waiting}")
        return task if status == "STOPPED" else None

    task = pace.until(look, WITHIN, f"Running {what}")
    known = failure(aws, task)
    codes = [container.get("exitCode") for container in task.get("containers", [])]
    if not codes or any(code != 0 for code in codes):
        raise CannotDeployError(f"{what} failed. {known}")
    say(f"{what}: done")
    return known
