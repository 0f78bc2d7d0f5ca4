"""Runs a machine on the emulator's Step Functions, with a worker of the queue that has a script."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from tests.eventually import eventually_blocking
from tests.step_functions.emulator import Emulator
from tests.step_functions.script import Answers, Fail, Succeed
from workflow.values import Json

ROLE = "arn:aws:iam::000000000000:role/any"
_DETAILS = ("input", "output", "error", "cause", "resource", "name")


@dataclass(frozen=True)
class Entry:
    """An entry of an execution's history, with what both engines have of it."""

    type: str
    state: str | None
    details: dict[str, Json]


@dataclass(frozen=True)
class Finished:
    """An execution that has ended."""

    status: str
    output: Json
    error: str | None
    cause: str | None
    history: list[Entry]

    @property
    def states(self) -> list[str]:
        """The states that were entered, in their order."""
        return [one.state for one in self.history if one.state and "Entered" in one.type]


class StepFunctions:
    """Machines of an emulator, and one queue for their tasks."""

    def __init__(self, emulator: Emulator, queue: str | None = None) -> None:
        session, url = emulator.session, emulator.url
        self.states = session.client("stepfunctions", endpoint_url=url)
        self.sqs = session.client("sqs", endpoint_url=url)
        self.queue = queue or self._create_queue()

    def _create_queue(self) -> str:
        return self.sqs.create_queue(QueueName=f"tasks-{secrets.token_hex(4)}")["QueueUrl"]

    def create(self, definition: Json) -> str:
        """The ARN of a new machine."""
        created = self.states.create_state_machine(
            name=f"machine-{secrets.token_hex(4)}", definition=json.dumps(definition), roleArn=ROLE
        )
        return created["stateMachineArn"]

    def run(self, machine: str, data: Json, answers: Answers) -> Finished:
        """Start an execution and do its tasks until it has ended."""
        arn = self.states.start_execution(stateMachineArn=machine, input=json.dumps(data))
        execution = arn["executionArn"]

        def ended() -> bool:
            self._work(answers)
            return self.states.describe_execution(executionArn=execution)["status"] != "RUNNING"

        eventually_blocking(ended, within=30, what=f"the end of {execution}")
        return self.finished(execution)

    def finished(self, execution: str) -> Finished:
        """What became of an execution."""
        found = self.states.describe_execution(executionArn=execution)
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=execution)
        events = [event for page in pages for event in page["events"]]
        return Finished(
            found["status"],
            json.loads(found["output"]) if found["status"] == "SUCCEEDED" else None,
            found.get("error"),
            found.get("cause"),
            _entries([dict(event) for event in events]),
        )

    def _work(self, answers: Answers) -> None:
        received = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=1)
        for message in received.get("Messages", []):
            body = json.loads(message["Body"])
            answer = answers.next(body["state"], body["input"])
            if isinstance(answer, Succeed):
                self.states.send_task_success(
                    taskToken=body["token"], output=json.dumps(answer.output)
                )
            if isinstance(answer, Fail):
                self.states.send_task_failure(
                    taskToken=body["token"], error=answer.error, cause=answer.cause
                )
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])


def _entries(events: list[dict[str, Any]]) -> list[Entry]:
    """The history in the interpreter's form: an entry between a state's two has its name."""
    found: list[Entry] = []
    state = None
    for event in events:
        details = {}
        for name, value in event.items():
            if name.endswith("EventDetails"):
                details = {key: value[key] for key in _DETAILS if key in value}
        state = details.pop("name", state)
        for key in ("input", "output"):
            if key in details:
                details[key] = json.loads(details[key])
        of_execution = event["type"].startswith("Execution")
        found.append(Entry(event["type"], None if of_execution else state, details))
    return found
