"""`make status-ecs`: stacks, services, targets, the address, and what costs money."""

from collections.abc import Iterator
from typing import Final

from botocore.exceptions import ClientError

from deploy import self_pause
from deploy.checks import dns
from deploy.checks.costs import Cost, costs, total
from deploy.errors import CannotDeployError
from deploy.installation import Installation
from deploy.stacks.cloudformation import Stack
from deploy.table import table
from topology.deployments import SERVERS
from topology.routing import SHARES

LOGGED: Final = (*SERVERS, "operator")
"""What has a log of its own. The operator's commands share one."""


def report(installation: Installation) -> str:
    """Several tables, and a line with the board's address."""
    there = installation.existing_stacks()
    if not there:
        return (
            f"Nothing called {installation.settings.project} is deployed in "
            f"{installation.aws.region}. "
            "(Another region: AWS_REGION=...; deploy it: make deploy-ecs)"
        )
    parts = [table(("stack", "state"), [(s.name, s.state) for s in there.values()])]
    if "cluster" in there:
        parts.append(_services(installation, there))
    if "routing" in there:
        parts += [_targets(installation, there["routing"]), shares(there["routing"])]
    parts.append(cost_table(costs(installation.aws, installation.settings.project)))
    at = self_pause.begins(installation.aws, there["cluster"]) if "cluster" in there else None
    if at is not None:
        parts.append(f"It pauses itself at {at:%Y-%m-%d %H:%M} UTC")
    if installation.is_paused():
        parts.append("It is paused: make resume-ecs")
    elif "PublicOrigin" in (there["routing"].outputs if "routing" in there else {}):
        parts += dns.record(there["routing"].outputs)
        parts.append(f"It answers at {there['routing'].outputs['PublicOrigin'].lower()}")
    return "\n\n".join(part for part in parts if part)


def cost_table(found: list[Cost]) -> str:
    """The resources that are billed, and their total price for a month."""
    rows = [
        (str(cost.count), cost.what, "" if cost.monthly is None else f"{cost.monthly:8.2f}",
         cost.note)
        for cost in found
    ]  # fmt: skip
    rows.append(("", "total, about", f"{total(found):8.2f}", "without what depends on use"))
    return table(("", "what costs money", "USD/month", ""), rows)


def _services(installation: Installation, there: dict[str, Stack]) -> str:
    rows = []
    services = installation.services()
    for name in SERVERS:
        if name not in there:
            continue
        stack = there[name]
        service = services.find(name)
        image = stack.parameters.get("Image", "").rpartition(":")[2]
        if service is None:
            rows.append((name, image, "-", "-", "no service"))
            continue
        states = {
            str(deployment.get("status")): str(deployment.get("rolloutState", ""))
            for deployment in service.get("deployments", [])
        }
        runs = service.get("taskDefinition", "")
        wanted = stack.outputs.get("TaskDefinitionArn", runs)
        rows.append(
            (
                name,
                image,
                f"{service.get('runningCount', 0)} of {service.get('desiredCount', 0)}",
                states.get("PRIMARY", "-").lower(),
                "" if runs == wanted else "rolled back: not what was deployed",
            )
        )
    return table(("service", "image", "tasks", "rollout", ""), rows) if rows else ""


def _targets(installation: Installation, routing: Stack) -> str:
    rows = []
    for output, arn in sorted(routing.outputs.items()):
        if not output.endswith("TargetsArn"):
            continue
        found = installation.aws.elb.describe_target_health(TargetGroupArn=arn)
        for described in found["TargetHealthDescriptions"]:
            target = described.get("Target", {"Id": "?"})
            health = described.get("TargetHealth", {})
            state = health.get("State", "unknown")
            reason = health.get("Description", "")
            rows.append(
                (
                    output.removesuffix("Arn"),
                    f"{target['Id']}:{target.get('Port', '?')}",
                    str(state),
                    reason,
                )
            )
    return table(("target group", "target", "health", ""), rows) if rows else ""


def shares(routing: Stack) -> str:
    rows = [
        (name.removesuffix("Share").lower(), f"{routing.parameters[name]} %")
        for name in SHARES
        if name in routing.parameters
    ]
    return table(("context", "to its service"), rows)


def recent_lines(
    installation: Installation, service: str | None, since: int
) -> Iterator[tuple[int, str]]:
    """The log lines of the project's tasks, or of one service's, since a time in milliseconds since
    1970, oldest first: the time of each, and the line with its task before it. Raises
    `CannotDeployError` if no service has this name."""
    if service not in (None, *LOGGED):
        raise CannotDeployError(f"SERVICE={service}: must be one of {', '.join(LOGGED)}")
    prefix = f"/{installation.settings.project}/{service or ''}"
    found: list[tuple[int, str]] = []
    groups = installation.aws.logs.get_paginator("describe_log_groups")
    for page in groups.paginate(logGroupNamePrefix=prefix):
        for group in page["logGroups"]:
            log = group.get("logGroupName", "")
            if service is not None and log != prefix:
                continue
            events = installation.aws.logs.get_paginator("filter_log_events")
            try:
                for events_page in events.paginate(logGroupName=log, startTime=since):
                    for event in events_page["events"]:
                        task = event.get("logStreamName", "").rpartition("/")[2][:8]
                        line = f"{log.rpartition('/')[2]}/{task} {event.get('message', '')}"
                        found.append((event.get("timestamp", 0), line.rstrip()))
            except ClientError as error:
                # A group may be deleted while it is read.
                if error.response["Error"].get("Code") != "ResourceNotFoundException":
                    raise
    # The sort is stable: lines of the same millisecond stay in their order.
    yield from sorted(found, key=lambda one: one[0])
