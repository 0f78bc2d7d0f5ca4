"""Runs a command of the board once, as a task: `bootstrap`, `migrate`, `grant-admin`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from deploy.aws import Aws
from deploy.ecs.task_failures import TaskFailure, failure
from deploy.errors import CannotDeployError
from deploy.poller import Poller

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef

TIMEOUT: Final = 15 * 60.0
"""Seconds: an instance has to start first, and the database to wake up."""

_PROGRESS_EVERY: Final = 30.0
CONTAINER: Final = "board"


def run(
    aws: Aws,
    cluster: str,
    definition: str,
    provider: str,
    command: Sequence[str],
    poller: Poller,
    say: Callable[[str], None],
    report: Callable[[], None] = lambda: None,
) -> TaskFailure:
    """Run the command to its end, and return the stopped task with its last log lines. Raises
    `CannotDeployError` with the reason if the command fails or never starts. The task uses the
    capacity provider `provider`: a task with a launch type would never start an instance. While
    waiting, it calls `report`, which prints why no instance starts."""
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
        raise CannotDeployError(f"{what} did not start: {reasons or 'ECS reports no reason'}")
    arn = started["tasks"][0].get("taskArn", "")
    say(f"{what}: running ...")
    reported_at = poller.now()

    def probe() -> TaskTypeDef | None:
        nonlocal reported_at
        found = aws.ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
        if not found:
            # ECS is eventually consistent: a task may not be listed yet.
            return None
        (task,) = found
        report()
        status = task.get("lastStatus", "")
        if poller.now() - reported_at > _PROGRESS_EVERY:
            reported_at = poller.now()
            waiting = ": waiting for an instance" if status == "PROVISIONING" else ""
            say(f"{what}: {status}{waiting}")
        return task if status == "STOPPED" else None

    task = poller.until(probe, TIMEOUT, f"Running {what}")
    known = failure(aws, task)
    codes = [container.get("exitCode") for container in task.get("containers", [])]
    if not codes or any(code != 0 for code in codes):
        raise CannotDeployError(f"{what} failed. {known}")
    say(f"{what}: done")
    return known
