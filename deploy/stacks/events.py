"""A stack's events, and the first failure among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_STARTED: Final = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}
_CONSEQUENCES: Final = ("Resource creation cancelled", "Resource update cancelled")
_NESTED: Final = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Event:
    """One event of a stack."""

    id: str
    stack: str
    resource: str
    kind: str
    physical_id: str
    state: str
    reason: str

    @property
    def failed(self) -> bool:
        """Whether it reports a failure that is not the consequence of another one."""
        return self.state.endswith("_FAILED") and not self.reason.startswith(_CONSEQUENCES)


def events_of_operation(client: CloudFormationClient, stack: str) -> list[Event]:
    """The events of a stack's newest operation, oldest first. `stack` is its id, or its name."""
    found: list[Event] = []
    for event in _newest_first(client, stack):
        found.append(event)
        if event.physical_id == event.stack and event.state in _STARTED:
            break
    return found[::-1]


def first_failure(client: CloudFormationClient, events: Sequence[Event]) -> Event | None:
    """The first failure, or None. For a nested stack it is the first failure inside it."""
    for event in events:
        if event.failed and event.physical_id != event.stack:
            if event.kind == _NESTED and event.physical_id:
                inside = events_of_operation(client, event.physical_id)
                return first_failure(client, inside) or event
            return event
    return next((event for event in events if event.failed), None)


def _newest_first(client: CloudFormationClient, stack: str) -> Iterator[Event]:
    for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
        for event in page["StackEvents"]:
            yield Event(
                event["EventId"],
                event["StackId"],
                event.get("LogicalResourceId", ""),
                event.get("ResourceType", ""),
                event.get("PhysicalResourceId", ""),
                event.get("ResourceStatus", ""),
                event.get("ResourceStatusReason", ""),
            )
