"""Creates, updates and deletes stacks, whatever state an earlier run has left them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from deploy.errors import CannotDeployError, StackFailedError, TookTooLongError
from deploy.poller import Poller
from deploy.stacks.events import Event, events_of_operation, first_failure
from deploy.stacks.templates import Template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

TIMEOUT: Final = 45 * 60.0
"""Seconds for one stack; CloudFormation itself would wait hours for a service."""

_MUST_BE_RECREATED: Final = {
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "CREATE_FAILED",
    "REVIEW_IN_PROGRESS",
}
_SUCCEEDED: Final = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
_PROGRESS_EVERY: Final = 30.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation describes it."""

    id: str
    name: str
    state: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def in_progress(self) -> bool:
        """Whether CloudFormation is changing it."""
        return self.state.endswith("_IN_PROGRESS") and self.state != "REVIEW_IN_PROGRESS"


class Stacks:
    """The stacks of one project. Every method may be interrupted and called again: it first waits
    for an operation that is in progress."""

    def __init__(
        self, client: CloudFormationClient, poller: Poller, say: Say, tags: Mapping[str, str]
    ) -> None:
        self._client = client
        self._poller = poller
        self._say = say
        self._tags = tags

    def find(self, name: str) -> Stack | None:
        """The stack with that name or id, or None if it does not exist."""
        try:
            (described,) = self._client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        stack = _stack(described)
        return None if stack.state == "DELETE_COMPLETE" else stack

    def find_own(self, name: str) -> Stack | None:
        """The stack, or None if it does not exist. Raises `CannotDeployError` for one that lacks
        the project's tags: it is somebody else's."""
        stack = self.find(name)
        self._require_ownership(name, stack)
        return stack

    def ensure_stack(
        self,
        name: str,
        template: Template,
        values: Mapping[str, str],
        watch: Callable[[], None] = lambda: None,
    ) -> Stack:
        """Create the stack, or update it to the template. A parameter without a value keeps its
        current one. `watch` is called while CloudFormation works. Raises `StackFailedError` with
        the first reason, and `TookTooLongError`."""
        before = self._settled(name)
        self._require_ownership(name, before)
        request = {
            "StackName": name,
            "TemplateBody": template.body,
            "Parameters": _parameters(template, values, before),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": key, "Value": value} for key, value in self._tags.items()],
        }
        try:
            if before is None:
                stack_id = self._client.create_stack(**request)["StackId"]  # type: ignore[arg-type] # one request for both calls
            else:
                stack_id = self._client.update_stack(**request)["StackId"]  # type: ignore[arg-type] # likewise
        except ClientError as error:
            message = error.response["Error"].get("Message", "")
            if before is not None and "No updates are to be performed" in message:
                self._say(f"{name}: unchanged")
                return before
            if error.response["Error"].get("Code") == "ValidationError":
                raise StackFailedError(f"{name}: {message}") from error
            raise
        self._say(f"{name}: {'creating it' if before is None else 'updating it'} ...")
        try:
            after = self._wait(name, stack_id, watch)
        except TookTooLongError:
            if before is not None:
                self._client.cancel_update_stack(StackName=stack_id)
            raise
        if after is None or after.state not in _SUCCEEDED:
            raise self._failure(name, stack_id)
        self._say(f"{name}: done")
        return after

    def delete(self, name: str, watch: Callable[[], None] = lambda: None) -> None:
        """Delete the stack, if it exists, and wait until it is deleted. Raises
        `StackFailedError`."""
        stack = self.find(name)
        if stack is not None and stack.in_progress and not stack.state.startswith("DELETE"):
            stack = self._settled(name, delete_failed=False)
        if stack is None:
            return
        self._require_ownership(name, stack)
        self._delete(stack, watch)

    def _delete(self, stack: Stack, watch: Callable[[], None] = lambda: None) -> None:
        self._client.delete_stack(StackName=stack.id)
        self._say(f"{stack.name}: deleting it ...")
        after = self._wait(stack.name, stack.id, watch)
        if after is not None:
            raise self._failure(stack.name, stack.id)
        self._say(f"{stack.name}: deleted")

    def _settled(self, name: str, *, delete_failed: bool = True) -> Stack | None:
        """Wait for an operation in progress, and repair states in which the stack cannot be
        updated. Returns the stack, or None if it does not exist."""
        stack = self.find(name)
        if stack is not None and stack.in_progress:
            self._say(f"{name}: {stack.state} since an earlier run; waiting for it to end")
            stack = self._wait(name, stack.id, lambda: None)
        if stack is None:
            return None
        if delete_failed and (stack.state in _MUST_BE_RECREATED or stack.state == "DELETE_FAILED"):
            self._say(f"{name}: {stack.state} since an earlier run; deleting what is left of it")
            self._require_ownership(name, stack)
            self._delete(stack)
            return None
        if stack.state == "UPDATE_ROLLBACK_FAILED":
            self._say(f"{name}: {stack.state} since an earlier run; continuing the rollback")
            self._client.continue_update_rollback(StackName=stack.id)
            stack = self._wait(name, stack.id, lambda: None)
            if stack is None or stack.state != "UPDATE_ROLLBACK_COMPLETE":
                raise self._failure(name, name)
        return stack

    def _require_ownership(self, name: str, stack: Stack | None) -> None:
        if stack is None or stack.state == "REVIEW_IN_PROGRESS":
            return
        if any(stack.tags.get(key) != value for key, value in self._tags.items()):
            tags = ", ".join(f"{key}={value}" for key, value in self._tags.items())
            raise CannotDeployError(
                f"A stack {name} exists already and is not the board's (it lacks the tag {tags}): "
                "choose another PROJECT, or another region"
            )

    def _wait(self, name: str, stack_id: str, watch: Callable[[], None]) -> Stack | None:
        """Wait for the end of the operation, reporting failures and what is in progress. Returns
        the stack, or None if it no longer exists."""
        seen: set[str] = set()
        in_progress: dict[str, str] = {}
        reported_at = self._poller.now()

        def probe() -> tuple[Stack | None] | None:
            nonlocal reported_at
            stack = self.find(stack_id)
            for event in events_of_operation(self._client, stack_id):
                if event.id not in seen and event.physical_id != event.stack:
                    seen.add(event.id)
                    _track(in_progress, event)
                    if event.failed:
                        self._say(f"{name}: {event.resource}: {event.state}: {event.reason}")
                        reported_at = self._poller.now()
            watch()
            if in_progress and self._poller.now() - reported_at > _PROGRESS_EVERY:
                self._say(f"{name}: waiting for {', '.join(sorted(in_progress))}")
                reported_at = self._poller.now()
            return None if stack is not None and stack.in_progress else (stack,)

        (stack,) = self._poller.until(probe, TIMEOUT, f"Waiting for the stack {name}")
        return stack

    def _failure(self, name: str, stack_id: str) -> StackFailedError:
        event = first_failure(self._client, events_of_operation(self._client, stack_id))
        if event is None:
            return StackFailedError(f"{name} failed, and CloudFormation reports no reason")
        return StackFailedError(f"{name}: {event.resource}: {event.reason}", event.kind)


def _track(in_progress: dict[str, str], event: Event) -> None:
    if event.state.endswith("_IN_PROGRESS"):
        in_progress[event.resource] = event.state
    else:
        in_progress.pop(event.resource, None)


def _parameters(
    template: Template, values: Mapping[str, str], before: Stack | None
) -> list[ParameterTypeDef]:
    found: list[ParameterTypeDef] = []
    for name in sorted(template.parameters):
        if name in values:
            found.append({"ParameterKey": name, "ParameterValue": values[name]})
        elif before is not None and name in before.parameters:
            found.append({"ParameterKey": name, "UsePreviousValue": True})
    return found


def _stack(described: StackTypeDef) -> Stack:
    return Stack(
        described.get("StackId", ""),
        described["StackName"],
        described["StackStatus"],
        {
            parameter.get("ParameterKey", ""): parameter.get("ParameterValue", "")
            for parameter in described.get("Parameters", [])
        },
        {
            output.get("OutputKey", ""): output.get("OutputValue", "")
            for output in described.get("Outputs", [])
        },
        {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])},
    )
