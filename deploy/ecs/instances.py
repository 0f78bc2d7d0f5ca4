"""The EC2 instances of the cluster."""

from collections.abc import Callable
from typing import Final

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.poller import Poller

TIMEOUT: Final = 15 * 60.0


def terminate(
    aws: Aws, cluster: str, group: str, poller: Poller, say: Callable[[str], None]
) -> None:
    """Scale the Auto Scaling group `group` to zero, and wait until the cluster has no instance
    left. Managed scaling would take a quarter of an hour for that. The group or the cluster may be
    missing, if deleting their stack has failed half-way."""
    say("Instances: terminating them ...")
    if _instances(aws, group) is not None:
        aws.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=group, MinSize=0, DesiredCapacity=0
        )

    def none_left() -> bool | None:
        running = _instances(aws, group)
        registered = _registered(aws, cluster)
        for instance in registered:
            # Without its agent it is never drained, and its termination would wait for that for two
            # days.
            if not running or not _is_connected(aws, cluster, instance):
                aws.ecs.deregister_container_instance(
                    cluster=cluster, containerInstance=instance, force=True
                )
        return None if running or registered else True

    poller.until(none_left, TIMEOUT, "Waiting for the instances to end")
    say("Instances: none left")


def _instances(aws: Aws, group: str) -> int | None:
    """How many instances the group has; None if there is no such group."""
    found = aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    for described in found["AutoScalingGroups"]:
        return len(described["Instances"])
    return None


def _registered(aws: Aws, cluster: str) -> list[str]:
    try:
        return aws.ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
    except ClientError as error:
        if error.response["Error"].get("Code") == "ClusterNotFoundException":
            return []
        raise


def _is_connected(aws: Aws, cluster: str, instance: str) -> bool:
    found = aws.ecs.describe_container_instances(cluster=cluster, containerInstances=[instance])
    return all(one.get("agentConnected") for one in found["containerInstances"])
