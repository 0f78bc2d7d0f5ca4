"""Brings stacks to what their templates say, and away again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from deploy.errors import CannotDeployError, StackFailedError, TookTooLongError
from deploy.poller import Pace
from deploy.stacks.events import Event, events_of_operation, first_failure
from deploy.stacks.templates import Template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

WITHIN: Final = 45 * 60.0
"""Seconds for one stack. CloudFormation itself would wait for a service for hours."""

_NEVER_MADE: Final = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"}
_FINE: Final = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
_NOT_A_WORD: Final = 30.0

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
    def busy(self) -> bool:
        """Whether CloudFormation is working on it."""
        return self.state.endswith("_IN_PROGRESS") and self.state != "REVIEW_IN_PROGRESS"


class Stacks:
    """The stacks of one project. Everything here may be interrupted and done again: a stack that
    is being worked on is waited for first."""

    def __init__(
        self, client: CloudFormationClient, pace: Pace, say: Say, tags: Mapping[str, str]
    ) -> None:
        self._client = client
        self._pace = pace
        self._say = say
        self._tags = tags

    def find(self, name: str) -> Stack | None:
        """The stack of that name or id, unless it is gone."""
        try:
            (described,) = self._client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        stack = _stack(described)
        return None if stack.state == "DELETE_COMPLETE" else stack

    def bring(
        self,
        name: str,
        template: Template,
        values: Mapping[str, str],
        watch: Callable[[], None] = lambda: None,
    ) -> Stack:
        """Make the stack, or make it anew as the template says. A parameter without a value keeps
        the one that it has. `watch` is called while CloudFormation works. Raises
        `StackFailedError` with the first reason, and `TookTooLongError`."""
        before = self._settled(name)
        self._must_be_ours(name, before)
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
        self._say(f"{name}: {'making it' if before is None else 'updating it'} ...")
        try:
            after = self._wait(name, stack_id, watch)
        except TookTooLongError:
            if before is not None:
                self._client.cancel_update_stack(StackName=stack_id)
            raise
        if after is None or after.state not in _FINE:
            raise self._failure(name, stack_id)
        self._say(f"{name}: done")
        return after

    def remove(self, name: str, watch: Callable[[], None] = lambda: None) -> None:
        """Delete the stack, if there is one, and wait until it is gone. Raises
        `StackFailedError`."""
        stack = self.find(name)
        if stack is not None and stack.busy and not stack.state.startswith("DELETE"):
            stack = self._settled(name, delete_failed=False)
        if stack is None:
            return
        self._must_be_ours(name, stack)
        self._delete(stack, watch)

    def _delete(self, stack: Stack, watch: Callable[[], None] = lambda: None) -> None:
        self._client.delete_stack(StackName=stack.id)
        self._say(f"{stack.name}: removing it ...")
        after = self._wait(stack.name, stack.id, watch)
        if after is not None:
            raise self._failure(stack.name, stack.id)
        self._say(f"{stack.name}: removed")

    def _settled(self, name: str, *, delete_failed: bool = True) -> Stack | None:
        """The stack when nobody works on it any more, brought out of states that no update can
        begin from; None when there is none."""
        stack = self.find(name)
        if stack is not None and stack.busy:
            self._say(f"{name}: {stack.state} since an earlier run; waiting for the end of that")
            stack = self._wait(name, stack.id, lambda: None)
        if stack is None:
            return None
        if delete_failed and (stack.state in _NEVER_MADE or stack.state == "DELETE_FAILED"):
            self._say(f"{name}: {stack.state} since an earlier run; removing what is left of that")
            self._must_be_ours(name, stack)
            self._delete(stack)
            return None
        if stack.state == "UPDATE_ROLLBACK_FAILED":
            self._say(f"{name}: {stack.state} since an earlier run; rolling it back once more")
            self._client.continue_update_rollback(StackName=stack.id)
            stack = self._wait(name, stack.id, lambda: None)
            if stack is None or stack.state != "UPDATE_ROLLBACK_COMPLETE":
                raise self._failure(name, name)
        return stack

    def _must_be_ours(self, name: str, stack: Stack | None) -> None:
        if stack is None or stack.state == "REVIEW_IN_PROGRESS":
            return
        if any(stack.tags.get(key) != value for key, value in self._tags.items()):
            tags = ", ".join(f"{key}={value}" for key, value in self._tags.items())
            raise CannotDeployError(
                f"There is a stack {name} already that is not the board's (it lacks the tag "
                f"{tags}): choose another PROJECT, or another region"
            )

    def _wait(self, name: str, stack_id: str, watch: Callable[[], None]) -> Stack | None:
        """Until nobody works on it; None when it is gone. Says what happens meanwhile."""
        seen: set[str] = set()
        going_on: dict[str, str] = {}
        spoke = self._pace.now()

        def look() -> tuple[Stack | None] | None:
            nonlocal spoke
            stack = self.find(stack_id)
            for event in events_of_operation(self._client, stack_id):
                if event.id not in seen and event.physical_id != event.stack:
                    seen.add(event.id)
                    _follow(going_on, event)
                    if event.failed:
                        self._say(f"{name}: {event.resource}: {event.state}: {event.reason}")
                        spoke = self._pace.now()
            watch()
            if going_on and self._pace.now() - spoke > _NOT_A_WORD:
                self._say(f"{name}: waiting for {', '.join(sorted(going_on))}")
                spoke = self._pace.now()
            return None if stack is not None and stack.busy else (stack,)

        (stack,) = self._pace.until(look, WITHIN, f"Waiting for the stack {name}")
        return stack

    def _failure(self, name: str, stack_id: str) -> StackFailedError:
        event = first_failure(self._client, events_of_operation(self._client, stack_id))
        if event is None:
            return StackFailedError(f"{name} failed, and CloudFormation does not say why")
        return StackFailedError(f"{name}: {event.resource}: {event.reason}", event.kind)


def _follow(going_on: dict[str, str], event: Event) -> None:
    if event.state.endswith("_IN_PROGRESS"):
        going_on[event.resource] = event.state
    else:
        going_on.pop(event.resource, None)


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
