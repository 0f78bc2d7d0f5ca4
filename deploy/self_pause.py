"""A board that pauses itself: one-time schedules in the account, which need no computer of ours.

EventBridge Scheduler makes the same calls as `pause`, each at a fixed time, because it does not
wait for the result of a call. The times leave enough room for the earlier calls; if one takes
longer, `make pause-ecs` does the rest."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from deploy.aws import Aws
from deploy.stacks.cloudformation import Stack

TARGET: Final = "arn:aws:scheduler:::aws-sdk:"
"""The prefix of EventBridge Scheduler's universal targets; the service and the call follow."""

INSTANCES_AFTER: Final = timedelta(minutes=6)
ROUTING_AFTER: Final = timedelta(minutes=14)
NETWORK_AFTER: Final = timedelta(minutes=20)
DATABASE_AFTER: Final = timedelta(minutes=22)


@dataclass(frozen=True)
class Call:
    """A call to AWS: the schedule's name, and how long after the pause begins it is made."""

    name: str
    after: timedelta
    action: str
    request: Mapping[str, Any]


@dataclass(frozen=True)
class Board:
    """The board to pause: its stacks by layer or service, and the names of its services."""

    stacks: Mapping[str, Stack]
    services: tuple[str, ...]


def calls(board: Board) -> Iterator[Call]:
    """The calls that pause the board, in order: tasks, instances, load balancers, NAT, and the
    database if it is an RDS instance."""
    for name in reversed(board.services):
        yield Call(name, timedelta(), "cloudformation:updateStack", _paused(board.stacks[name]))
    group = board.stacks["cluster"].outputs["AutoScalingGroup"]
    nothing = {"AutoScalingGroupName": group, "MinSize": 0, "DesiredCapacity": 0}
    yield Call("instances", INSTANCES_AFTER, "autoscaling:updateAutoScalingGroup", nothing)
    for name, after in (("routing", ROUTING_AFTER), ("network", NETWORK_AFTER)):
        yield Call(name, after, "cloudformation:updateStack", _paused(board.stacks[name]))
    data = board.stacks["data"]
    if data.parameters.get("DatabaseKind") == "instance":
        request = {"DbInstanceIdentifier": data.outputs["DatabaseName"]}
        yield Call("database", DATABASE_AFTER, "rds:stopDBInstance", request)


def _paused(stack: Stack) -> Mapping[str, Any]:
    """The request that pauses a stack and changes nothing else."""
    return {
        "StackName": stack.name,
        "UsePreviousTemplate": True,
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": "true"}
            if name == "Paused"
            else {"ParameterKey": name, "UsePreviousValue": True}
            for name in sorted(stack.parameters)
        ],
    }


def plan(aws: Aws, board: Board, at: datetime) -> None:
    """Schedule the calls, beginning at that time, and replace earlier schedules."""
    cancel(aws, board.stacks["cluster"])
    outputs = board.stacks["cluster"].outputs
    for call in calls(board):
        aws.scheduler.create_schedule(
            GroupName=outputs["PauseGroup"],
            Name=call.name,
            ScheduleExpression=f"at({at + call.after:%Y-%m-%dT%H:%M:%S})",
            ScheduleExpressionTimezone="UTC",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={
                "Arn": f"{TARGET}{call.action}",
                "RoleArn": outputs["PauseRoleArn"],
                "Input": json.dumps(call.request),
                "RetryPolicy": {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 3600},
            },
        )


def cancel(aws: Aws, cluster: Stack) -> None:
    """Delete all schedules."""
    group = cluster.outputs.get("PauseGroup")
    if group is not None:
        for name in _scheduled(aws, group):
            aws.scheduler.delete_schedule(GroupName=group, Name=name)


def begins(aws: Aws, cluster: Stack) -> datetime | None:
    """When the board pauses itself, in UTC; None if it does not."""
    group = cluster.outputs.get("PauseGroup")
    times = [
        datetime.fromisoformat(found["ScheduleExpression"][len("at(") : -1])
        for name in (_scheduled(aws, group) if group is not None else [])
        for found in (aws.scheduler.get_schedule(GroupName=group, Name=name),)
    ]
    return min(times, default=None)


def _scheduled(aws: Aws, group: str) -> list[str]:
    pages = aws.scheduler.get_paginator("list_schedules").paginate(GroupName=group)
    return [schedule["Name"] for page in pages for schedule in page["Schedules"]]
