"""The EC2 instances of the cluster."""

from collections.abc import Callable
from typing import Final

from deploy.aws import Aws
from deploy.poller import Poller

TIMEOUT: Final = 15 * 60.0


def terminate(
    aws: Aws, cluster: str, group: str, poller: Poller, say: Callable[[str], None]
) -> None:
    """Scale the Auto Scaling group `group` to zero, and wait until the cluster has no instance
    left. Managed scaling would take a quarter of an hour for that."""
    say("Instances: terminating them ...")
    aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=group, MinSize=0, DesiredCapacity=0
    )

    def none_left() -> bool | None:
        (found,) = aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])[
            "AutoScalingGroups"
        ]
        left = aws.ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        return None if found["Instances"] or left else True

    poller.until(none_left, TIMEOUT, "Waiting for the instances to end")
    say("Instances: none left")
