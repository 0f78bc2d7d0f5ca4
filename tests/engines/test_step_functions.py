"""The engine for Step Functions, at an AWS that loses executions, is down, or refuses tokens."""

import json
from typing import Any, cast

import pytest

from kernel.data.database import Database
from kernel.errors import Unavailable
from services.cases.engines.aws import Ended, QueueMessage, TaskGone
from services.cases.engines.step_functions import LOOK_EVERY, StepFunctionsEngine
from tests.engines.ledger import LedgerTasks
from tests.engines.playing import JumpingClock


class FakeAws:
    """`AwsWorkflow` in memory. `gone` are the tokens that nobody waits for any more, `broken` those
    for which AWS does not answer."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str]] = []
        self.answers: list[tuple[str, Any]] = []
        self.gone: set[str] = set()
        self.broken: set[str] = set()
        self.deleted: list[QueueMessage] = []
        self.end: Ended | None = None
        self.is_down = False

    async def start(self, name: str, data: str) -> None:
        self._check()
        self.started.append((name, data))

    async def ended(self, name: str) -> Ended | None:
        assert name == self.started[-1][0]
        return self.end

    async def succeed(self, token: str, output: str) -> None:
        self._check(token)
        self.answers.append((token, json.loads(output)))

    async def fail(self, token: str, error: str, cause: str) -> None:
        self._check(token)
        self.answers.append((token, (error, cause)))

    async def heartbeat(self, token: str) -> None:
        self._check(token)

    async def delete(self, message: QueueMessage) -> None:
        self.deleted.append(message)

    def _check(self, token: str = "") -> None:
        if self.is_down or token in self.broken:
            raise Unavailable("AWS does not answer.")
        if token in self.gone:
            raise TaskGone(token)


class Scene:
    """An engine, and the things around it."""

    def __init__(self, database: Database, **failures: int) -> None:
        self.database = database
        self.aws = FakeAws()
        self.clock = JumpingClock()
        names = {name.replace("_", " "): count for name, count in failures.items()}
        self.tasks = LedgerTasks(database, names)
        self.engine = StepFunctionsEngine(database, cast(Any, self.aws), self.tasks, self.clock)

    async def start(self) -> None:
        """Start case 1, and whatever is due."""
        async with self.database.transaction() as connection:
            await self.engine.start(connection, 1)
        await self.run_due()

    async def run_due(self) -> None:
        while await self.engine.run_one():
            pass

    async def task(self, state: str, token: str, execution: str = "case-1-1") -> None:
        """Let the queue deliver a task of an execution."""
        await self.engine.work(self.message(state, token, execution))

    def message(self, state: str, token: str, execution: str = "case-1-1") -> QueueMessage:
        given = {"Case": "001", "Status": 0, "Message": "Case 001: opened..."}
        body = {"State": state, "Token": token, "Step": f"{execution} {state}", "Input": given}
        return QueueMessage(json.dumps(body), token)

    async def decide(self, resolved: bool) -> None:
        async with self.database.transaction() as connection:
            outcome = await self.tasks.decide(connection, 1, resolved)
            await self.engine.answer(connection, 1, outcome)

    async def failure(self) -> str | None:
        row = await self.database.row("SELECT failure FROM ledger_cases WHERE case_id = 1")
        return None if row is None else row["failure"]

    def look_later(self) -> None:
        self.clock.jump_to(self.clock.now + 2 * LOOK_EVERY)


@pytest.fixture
async def scene(cases_database: Database) -> Scene:
    found = Scene(cases_database)
    await found.start()
    await found.task("Open Case", "opening")
    found.aws.answers.clear()
    return found


async def test_execution_is_started_when_aws_is_there_again(cases_database: Database) -> None:
    scene = Scene(cases_database)
    scene.aws.is_down = True
    with pytest.raises(Unavailable):
        await scene.start()
    scene.aws.is_down = False
    scene.look_later()
    await scene.run_due()
    assert scene.aws.started == [("case-1-1", '{"inputCaseID": "001"}')]


async def test_running_execution_is_left_alone(scene: Scene) -> None:
    scene.look_later()
    await scene.run_due()
    assert len(scene.aws.started) == 1


@pytest.mark.parametrize(
    "end",
    [
        Ended("MISSING", "", ""),
        Ended("ABORTED", "", ""),
        Ended("TIMED_OUT", "", ""),
        Ended("FAILED", "States.Timeout", ""),
        Ended("FAILED", "States.HeartbeatTimeout", ""),
        Ended("FAILED", "SQS.AmazonSQSException", "the queue was away"),
    ],
)
async def test_lost_execution_is_started_again(scene: Scene, end: Ended) -> None:
    scene.aws.end = end
    scene.look_later()
    await scene.engine.run_one()
    scene.aws.end = None
    await scene.run_due()
    assert [name for name, _ in scene.aws.started] == ["case-1-1", "case-1-2"]
    assert await scene.failure() is None


async def test_execution_that_is_started_again_opens_its_case_once(scene: Scene) -> None:
    await scene.task("Open Case", "opening again", execution="case-1-2")
    ((token, output),) = scene.aws.answers
    assert (token, output["Message"]) == ("opening again", "Case 001: opened...")


async def test_failed_execution_shows_on_its_case_and_is_not_started_again(scene: Scene) -> None:
    cause = json.dumps({"Error": "StepBroken", "Cause": "for good"})
    scene.aws.end = Ended("FAILED", "StepBroken", cause)
    for _ in range(2):
        scene.look_later()
        await scene.run_due()
    assert await scene.failure() == "StepBroken: for good"
    assert len(scene.aws.started) == 1


async def test_decision_is_sent_until_aws_has_it(scene: Scene) -> None:
    await scene.task("Work on Case", "working")
    await scene.decide(True)
    scene.aws.is_down = True
    with pytest.raises(Unavailable):
        await scene.run_due()
    scene.aws.is_down = False
    scene.look_later()
    await scene.run_due()
    ((token, output),) = scene.aws.answers
    assert (token, output["Status"]) == ("working", 1)
    scene.look_later()
    await scene.run_due()
    assert len(scene.aws.answers) == 1


async def test_decision_after_the_time_limit_is_found_by_the_next_work(scene: Scene) -> None:
    await scene.task("Work on Case", "working")
    scene.aws.gone.add("working")
    await scene.decide(True)
    await scene.run_due()
    assert scene.aws.answers == []
    await scene.task("Work on Case", "working again")
    ((token, output),) = scene.aws.answers
    assert (token, output["Status"]) == ("working again", 1)


async def test_decision_before_the_work_is_found_by_it(scene: Scene) -> None:
    await scene.decide(False)
    await scene.run_due()
    assert scene.aws.answers == []
    await scene.task("Work on Case", "working")
    ((_, output),) = scene.aws.answers
    assert output["Status"] == 0


async def test_task_that_nobody_waits_for_is_not_done(scene: Scene) -> None:
    scene.aws.gone.add("old")
    await scene.task("Escalate Case", "old")
    row = await scene.database.row(
        "SELECT count(*) AS calls FROM ledger_calls WHERE state = 'Escalate Case'"
    )
    assert row is not None
    assert row["calls"] == 0
    assert scene.aws.deleted[-1].handle == "old"


async def test_task_stays_on_the_queue_while_aws_is_down(scene: Scene) -> None:
    scene.aws.is_down = True
    deleted = len(scene.aws.deleted)
    with pytest.raises(Unavailable):
        await scene.task("Assign Case", "assigning")
    assert len(scene.aws.deleted) == deleted


async def test_message_that_fails_stops_no_other(scene: Scene) -> None:
    scene.aws.broken.add("assigning")
    messages = [scene.message("Assign Case", "assigning"), scene.message("Work on Case", "working")]
    with pytest.raises(Unavailable):
        await scene.engine.work_all(messages)
    assert [message.handle for message in scene.aws.deleted] == ["opening", "working"]


async def test_failure_of_a_task_is_reported_with_its_name_and_cause(
    cases_database: Database,
) -> None:
    scene = Scene(cases_database, Assign_Case=1)
    await scene.start()
    await scene.task("Assign Case", "assigning")
    assert scene.aws.answers == [("assigning", ("StepBroken", "The step does not work."))]


async def test_task_of_a_case_that_has_ended_is_dropped(scene: Scene) -> None:
    scene.aws.end = Ended("SUCCEEDED", "", "")
    scene.look_later()
    await scene.run_due()
    scene.aws.answers.clear()
    await scene.task("Close Case", "closing")
    assert scene.aws.answers == []
    assert scene.aws.deleted[-1].handle == "closing"
