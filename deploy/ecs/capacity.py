"""Why no instance starts: ECS reports no reason for tasks that stay in PROVISIONING, but the Auto
Scaling group's activities do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.poller import Poller

_EVERY: Final = 10.0
_FAILED: Final = {"Failed", "Cancelled"}


def reporter(
    aws: Aws, group: str | None, poller: Poller, say: Callable[[str], None]
) -> Callable[[], None]:
    """A function that prints the reasons of failed scaling activities of the group, each once. It
    asks AWS at most every ten seconds, however often it is called."""
    seen: set[str] = set()
    said: set[str] = set()
    looked_at: float | None = None
    newest: datetime | None = None

    def look() -> None:
        nonlocal looked_at, newest
        if group is None or (looked_at is not None and poller.now() - looked_at < _EVERY):
            return
        looked_at = poller.now()
        try:
            activities = aws.autoscaling.describe_scaling_activities(
                AutoScalingGroupName=group, MaxRecords=20
            )["Activities"]
        except ClientError as error:
            reason = f"could not be looked up: {error}"
            if reason not in said:
                said.add(reason)
                say(f"Why no instance starts {reason}")
            return
        if newest is None:
            # Failures from long before this command are irrelevant.
            newest = max((one["StartTime"] for one in activities), default=None)
            if newest is not None:
                newest -= timedelta(minutes=10)
        for activity in reversed(activities):
            if activity["ActivityId"] in seen or activity.get("StatusCode") not in _FAILED:
                continue
            seen.add(activity["ActivityId"])
            reason = activity.get("StatusMessage") or activity.get("Description", "")
            old = newest is not None and activity["StartTime"] < newest
            if reason and reason not in said and not old:
                said.add(reason)
                say(f"No instance: {reason}")

    return look
