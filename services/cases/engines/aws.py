"""Step Functions and SQS, as the engine needs them. boto3 is blocking, so calls run in threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from kernel.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_stepfunctions.client import SFNClient

POLL_SECONDS: Final = 5
"""Seconds that a request for messages waits; a process waits for it before it stops."""

_STALE: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})

T = TypeVar("T")


class TaskGone(Exception):
    """No task waits for this token any more."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An execution that does not run: its status in Step Functions, or `MISSING`."""

    status: str
    error: str
    cause: str


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message; `handle` deletes it."""

    body: str
    handle: str


class Clients(NamedTuple):
    """The two clients of boto3."""

    states: SFNClient
    sqs: SQSClient


def connect(machine: str) -> Clients:
    """The clients in the machine's region, with the credentials of the process."""
    # Only the cases service calls this, and only its image has boto3.
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=5,
        read_timeout=POLL_SECONDS + 10,
        retries={"mode": "standard", "max_attempts": 3},
    )
    session = boto3.session.Session(region_name=machine.split(":")[3])
    return Clients(
        session.client("stepfunctions", config=config), session.client("sqs", config=config)
    )


class AwsWorkflow:
    """One state machine and its queue. Every method raises `Unavailable` if the call to AWS fails.

    The first call creates the clients, and each further call tries again if that failed: missing
    credentials must not prevent a process from serving."""

    def __init__(self, connect: Callable[[], Clients], machine: str, queue: str) -> None:
        self._connect = connect
        self._machine = machine
        self._queue = queue
        self._clients: Clients | None = None
        self._connecting = threading.Lock()

    async def start(self, name: str, data: str) -> None:
        """Start an execution, unless one of this name exists."""

        def call(clients: Clients) -> None:
            try:
                clients.states.start_execution(stateMachineArn=self._machine, name=name, input=data)
            except clients.states.exceptions.ExecutionAlreadyExists:
                pass

        await self._call(call)

    async def ended(self, name: str) -> Ended | None:
        """How an execution has ended; None if it still runs."""
        arn = self._machine.replace(":stateMachine:", ":execution:") + f":{name}"

        def call(clients: Clients) -> Ended | None:
            try:
                found = clients.states.describe_execution(executionArn=arn)
            except clients.states.exceptions.ExecutionDoesNotExist:
                return Ended("MISSING", "", "")
            if found["status"] in {"RUNNING", "PENDING_REDRIVE"}:
                return None
            return Ended(found["status"], found.get("error", ""), found.get("cause", ""))

        return await self._call(call)

    async def succeed(self, token: str, output: str) -> None:
        """Complete a task. Raises `TaskGone`."""
        await self._call(lambda aws: aws.states.send_task_success(taskToken=token, output=output))

    async def fail(self, token: str, error: str, cause: str) -> None:
        """Let a task fail. Raises `TaskGone`."""
        await self._call(
            lambda aws: aws.states.send_task_failure(taskToken=token, error=error, cause=cause)
        )

    async def heartbeat(self, token: str) -> None:
        """Report that somebody works on a task. Raises `TaskGone`."""
        await self._call(lambda aws: aws.states.send_task_heartbeat(taskToken=token))

    async def receive(self) -> list[QueueMessage]:
        """Up to ten messages. Waits a few seconds for the first one, then returns none."""
        received = await self._call(
            lambda aws: aws.sqs.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=POLL_SECONDS
            )
        )
        return [
            QueueMessage(one.get("Body", ""), one.get("ReceiptHandle", ""))
            for one in received.get("Messages", [])
        ]

    async def delete(self, message: QueueMessage) -> None:
        """Delete the message, which has been handled."""
        await self._call(
            lambda aws: aws.sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message.handle)
        )

    async def _call(self, call: Callable[[Clients], T]) -> T:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return await asyncio.to_thread(lambda: call(self._connected()))
        except ClientError as error:
            code = _code(error.response)
            if code in _STALE:
                raise TaskGone(code) from error
            raise Unavailable(f"AWS refused: {error}") from error
        except BotoCoreError as error:
            raise Unavailable(f"AWS does not answer: {error}") from error

    def _connected(self) -> Clients:
        with self._connecting:
            if self._clients is None:
                try:
                    self._clients = self._connect()
                except Exception as error:
                    raise Unavailable(f"AWS cannot be used: {error}") from error
            return self._clients


def _code(response: Any) -> str:
    return str(response.get("Error", {}).get("Code", ""))
