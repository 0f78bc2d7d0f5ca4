"""The templates of the case workflow work on the emulator's CloudFormation: the board's own with
its queue, and the tutorial's, whose functions really run."""

import io
import secrets
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kernel.data.database import Database
from tests.engines.ledger import acts
from tests.engines.scenarios import ASSIGN, CHOICE, CLOSE, ESCALATE, OPEN, WORK
from tests.eventually import eventually_blocking
from tests.step_functions.emulated import Finished, StepFunctions
from tests.step_functions.emulator import Emulator
from tests.step_functions.working import working_at

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient

INFRA = Path(__file__).resolve().parents[2] / "infra"
FAILING = """
def handler(event, context):
    raise RuntimeError("it is broken")
"""
FAILING_TWICE = """
import pathlib

def handler(event, context):
    attempts = pathlib.Path({file!r})
    with attempts.open("a") as file:
        file.write("x")
    if attempts.stat().st_size < 3:
        raise RuntimeError("not yet")
    return {{**event, "Message": event["Message"] + "assigned..."}}
"""


@dataclass(frozen=True)
class Created:
    """A stack on the emulator."""

    emulated: Emulator
    name: str

    @property
    def outputs(self) -> dict[str, str]:
        """Its outputs."""
        (stack,) = self.client.describe_stacks(StackName=self.name)["Stacks"]
        return {one.get("OutputKey", ""): one.get("OutputValue", "") for one in stack["Outputs"]}

    @property
    def client(self) -> "CloudFormationClient":
        """CloudFormation on the emulator."""
        return self.emulated.session.client("cloudformation", endpoint_url=self.emulated.url)

    def replace_code(self, function: str, code: str) -> None:
        """Replace the code of one of the tutorial's functions."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("index.py", code)
        functions = self.emulated.session.client("lambda", endpoint_url=self.emulated.url)
        name = f"{self.name}-{function}"
        functions.update_function_code(FunctionName=name, ZipFile=archive.getvalue())

    def run(self) -> Finished:
        """Run the tutorial's state machine with its example."""
        step_functions = StepFunctions(self.emulated)
        started = step_functions.states.start_execution(
            stateMachineArn=self.outputs["StateMachineArn"], input='{"inputCaseID": "001"}'
        )
        arn = started["executionArn"]
        describe = step_functions.states.describe_execution
        eventually_blocking(
            lambda: describe(executionArn=arn)["status"] != "RUNNING",
            within=30,
            what="the end of the tutorial's execution",
        )
        return step_functions.finished(arn)


Create = Callable[..., Created]


@pytest.fixture
def create(emulated: Emulator) -> Iterator[Create]:
    """Creates the stack of a template with parameters; all stacks are deleted at the end."""
    stacks: list[Created] = []

    def create_stack(template: str, **parameters: str) -> Created:
        name = f"tests-{secrets.token_hex(3)}"
        stack = Created(emulated, name)
        stack.client.create_stack(
            StackName=name,
            TemplateBody=(INFRA / f"{template}.yml").read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in {"Project": name, **parameters}.items()
            ],
        )
        stack.client.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1}
        )
        stacks.append(stack)
        return stack

    yield create_stack
    for stack in stacks:
        stack.client.delete_stack(StackName=stack.name)


async def test_board_works_at_its_own_template(
    create: Create, emulated: Emulator, cases_database: Database
) -> None:
    outputs = create("cases").outputs
    step_functions = StepFunctions(emulated, outputs["CaseQueueUrl"])
    machine = outputs["CaseStateMachineArn"]
    async with working_at(step_functions, machine, cases_database) as found:
        await found.start(1)
        await found.decide(1, False)
        await found.decide(1, True)
        finished = await found.finished(1)
    assert finished.states == [OPEN, ASSIGN, WORK, CHOICE, ESCALATE, WORK, CHOICE, CLOSE]
    assert await acts(cases_database) == {1: 1}


@pytest.mark.parametrize(
    ("parameters", "states", "message"),
    [
        (
            {"Outcome": "at-once"},
            [OPEN, ASSIGN, WORK, CHOICE, CLOSE],
            "Case 001: opened...assigned...resolved...closed.",
        ),
        (
            {"Outcome": "after-escalation"},
            [OPEN, ASSIGN, WORK, CHOICE, ESCALATE, WORK, CHOICE, CLOSE],
            "Case 001: opened...assigned...unresolved...escalating.resolved...closed.",
        ),
    ],
)
def test_tutorial_resolves_a_case(
    create: Create, parameters: dict[str, str], states: list[str], message: str
) -> None:
    finished = create("cases-lambda", **parameters).run()
    assert finished.states == states
    assert finished.output == {"Case": "001", "Status": 1, "Message": message}


def test_tutorial_fails_after_an_escalation_if_it_should(create: Create) -> None:
    finished = create("cases-lambda", Outcome="after-escalation", AfterEscalation="fail").run()
    assert finished.states == [OPEN, ASSIGN, WORK, CHOICE, ESCALATE, "Fail"]
    assert (finished.status, finished.cause) == ("FAILED", "Engage Tier 2 Support.")


def test_function_of_the_tutorial_that_fails_twice_is_tried_again(
    create: Create, tmp_path: Path
) -> None:
    stack = create("cases-lambda", Outcome="at-once")
    stack.replace_code("assign-case", FAILING_TWICE.format(file=str(tmp_path / "attempts")))
    finished = stack.run()
    assert finished.states == [OPEN, ASSIGN, WORK, CHOICE, CLOSE]
    assert [one.type for one in finished.history].count("TaskFailed") == 2
    assert finished.output == {
        "Case": "001",
        "Status": 1,
        "Message": "Case 001: opened...assigned...resolved...closed.",
    }


def test_function_of_the_tutorial_that_never_works_fails_the_execution(create: Create) -> None:
    stack = create("cases-lambda", Outcome="at-once")
    stack.replace_code("close-case", FAILING)
    finished = stack.run()
    assert finished.states == [OPEN, ASSIGN, WORK, CHOICE, CLOSE, "Step Failed"]
    assert [one.type for one in finished.history].count("TaskFailed") == 4
    assert "it is broken" in str(finished.cause)
