"""AWS for the engine of Step Functions: what it refuses, and credentials that are missing."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from kernel.errors import Unavailable
from services.cases.engines.aws import AwsWorkflow, Clients, TaskGone

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:board-cases"


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "SendTaskSuccess")


def workflow(**calls: Any) -> AwsWorkflow:
    states = SimpleNamespace(**calls)
    clients = cast(Clients, SimpleNamespace(states=states, sqs=states))
    return AwsWorkflow(lambda: clients, MACHINE, "queue")


def raising(error: Exception) -> Any:
    def call(**_: object) -> None:
        raise error

    return call


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
async def test_token_that_nobody_waits_for_is_gone(code: str) -> None:
    with pytest.raises(TaskGone, match=code):
        await workflow(send_task_success=raising(refusal(code))).succeed("token", "{}")


@pytest.mark.parametrize(
    "error",
    [refusal("ThrottlingException"), EndpointConnectionError(endpoint_url="https://states")],
)
async def test_what_aws_does_not_do_is_unavailable(error: Exception) -> None:
    with pytest.raises(Unavailable, match="AWS"):
        await workflow(send_task_heartbeat=raising(error)).heartbeat("token")


async def test_missing_credentials_are_looked_for_again() -> None:
    calls: list[str] = []
    states = SimpleNamespace(send_task_heartbeat=lambda **_: calls.append("heartbeat"))

    def connect() -> Clients:
        calls.append("connect")
        if len(calls) == 1:
            raise ValueError("Unsupported host")
        return cast(Clients, SimpleNamespace(states=states))

    aws = AwsWorkflow(connect, MACHINE, "queue")
    with pytest.raises(Unavailable, match="Unsupported host"):
        await aws.heartbeat("token")
    await aws.heartbeat("token")
    await aws.heartbeat("token")
    assert calls == ["connect", "connect", "heartbeat", "heartbeat"]
