"""`make pause-ecs` and `make resume-ecs`: the data stays, and nearly nothing is billed.

Pausing takes away in the order in which nobody is cut off from what they still need: tasks, which
drain and log; instances, which tell ECS so; load balancers; and the NAT gateways last. Resuming is
the other way round, since a service is not made before its target groups have a listener. The
database is never stopped: it sleeps by itself ten minutes after the last connection.
"""

from __future__ import annotations

from typing import Final

from deploy.checks.costs import costs
from deploy.commands.deploy import bring_services, deployed, look_at
from deploy.commands.status import cost_table
from deploy.stacks.project import Project

_INSTANCES_WITHIN: Final = 15 * 60.0


def pause(project: Project) -> None:
    """Pause. May be interrupted and repeated."""
    project.must_be_there("routing")
    services = project.services()
    if not project.is_paused():
        for name in reversed(deployed(project)):
            project.bring(name, {"Paused": "true"})
        for name in deployed(project):
            services.must_be_gone(name)
    without_instances(project)
    project.bring("routing", {"Paused": "true"})
    project.bring("network", {"Paused": "true"})
    project.say("Paused. The database falls asleep by itself. What is still billed:")
    project.say(cost_table(costs(project.aws, project.settings.project)))


def resume(project: Project) -> str:
    """Resume, and return where the board answers now: load balancers that come back have new
    names. May be interrupted and repeated, and does no harm to a board that is up."""
    project.must_be_there("routing")
    project.bring("network", {"Paused": "false"})
    routing = project.bring("routing", {"Paused": "false"})
    # Each takes the new address, and the image that it had.
    bring_services(project, deployed(project), {})
    project.bring("observability", {})
    return look_at(project, routing.outputs["PublicOrigin"])


def without_instances(project: Project) -> None:
    """Ask the Auto Scaling group for no instance, and wait until none is left in the cluster.
    Managed scaling would take a quarter of an hour to come to that."""
    cluster = project.find("cluster")
    if cluster is None or "AutoScalingGroup" not in cluster.outputs:
        return
    group, name = cluster.outputs["AutoScalingGroup"], cluster.outputs["Cluster"]
    project.say("Instances: sending them home ...")
    project.aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=group, MinSize=0, DesiredCapacity=0
    )

    def look() -> bool | None:
        (found,) = project.aws.autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[group]
        )["AutoScalingGroups"]
        left = project.aws.ecs.list_container_instances(cluster=name)["containerInstanceArns"]
        return None if found["Instances"] or left else True

    project.pace.until(look, _INSTANCES_WITHIN, "Waiting for the instances to end")
    project.say("Instances: none left")
