"""The engine for Step Functions, at work on the emulator."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from kernel.data.database import Database
from kernel.process.background import running
from kernel.process.clock import utc_now
from services.cases.engines.aws import AwsWorkflow, Clients
from services.cases.engines.definition import WORK, AfterEscalation, case_workflow_document
from services.cases.engines.step_functions import StepFunctionsEngine
from tests.engines.ledger import LedgerTasks
from tests.eventually import eventually
from tests.step_functions.emulated import Finished, StepFunctions
from tests.step_functions.emulator import Emulator
from workflow.values import Json

SOON = timedelta(seconds=0.2)
TIME_LIMIT = 1


@dataclass
class Running:
    """An engine with its own state machine."""

    step_functions: StepFunctions
    machine: str
    database: Database
    tasks: LedgerTasks
    engine: StepFunctionsEngine

    async def start(self, case: int) -> None:
        """Start a case."""
        async with self.database.transaction() as connection:
            await self.engine.start(connection, case)
        self.engine.wake()

    async def is_waiting(self, case: int) -> bool:
        """Whether the case waits for a person."""
        row = await self.database.row(
            "SELECT token IS NOT NULL AND answer IS NULL AS waits FROM remote_executions r"
            " JOIN ledger_cases USING (case_id) WHERE case_id = $1 AND decision IS NULL",
            case,
        )
        return row is not None and row["waits"]

    async def decide(self, case: int, resolved: bool) -> None:
        """Decide the case as soon as it waits."""

        async def waits() -> bool:
            return await self.is_waiting(case)

        await eventually(waits, within=20, what="a case that waits")
        async with self.database.transaction() as connection:
            outcome = await self.tasks.decide(connection, case, resolved)
            await self.engine.answer(connection, case, outcome)
        self.engine.wake()

    async def finished(self, case: int) -> Finished:
        """The case's last execution, once the engine knows that it has ended."""

        async def has_ended() -> bool:
            row = await self.database.row(
                "SELECT due_at IS NULL AS ended FROM remote_executions WHERE case_id = $1", case
            )
            self.engine.wake()
            return row is not None and row["ended"]

        await eventually(has_ended, within=30, what="the end of a case")
        return self.step_functions.finished(await self.execution(case))

    async def put(self, body: Json) -> None:
        """Put a message on the queue."""
        sqs, queue = self.step_functions.sqs, self.step_functions.queue
        await asyncio.to_thread(sqs.send_message, QueueUrl=queue, MessageBody=json.dumps(body))

    async def messages(self) -> tuple[int, int]:
        """The number of messages that wait, and of those that were received and not deleted."""
        sqs, queue = self.step_functions.sqs, self.step_functions.queue
        found = await asyncio.to_thread(
            sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=["All"]
        )
        attributes = found["Attributes"]
        waiting = int(attributes["ApproximateNumberOfMessages"])
        return waiting, int(attributes["ApproximateNumberOfMessagesNotVisible"])

    async def queue_is_empty(self) -> bool:
        """Whether every message has been handled."""
        return await self.messages() == (0, 0)

    async def execution(self, case: int) -> str:
        """The ARN of its last execution."""
        row = await self.database.row(
            "SELECT number FROM remote_executions WHERE case_id = $1", case
        )
        assert row is not None
        executions = self.machine.replace(":stateMachine:", ":execution:")
        return f"{executions}:case-{case}-{row['number']}"


@asynccontextmanager
async def running_engine(
    emulated: Emulator,
    database: Database,
    after_escalation: AfterEscalation = AfterEscalation.LOOP,
    failures: dict[str, int] | None = None,
) -> AsyncIterator[Running]:
    step_functions = StepFunctions(emulated)
    document: Json = json.loads(case_workflow_document(after_escalation, step_functions.queue))
    machine = step_functions.create(_hurried(document))
    async with working_at(step_functions, machine, database, failures) as found:
        yield found


@asynccontextmanager
async def working_at(
    step_functions: StepFunctions,
    machine: str,
    database: Database,
    failures: dict[str, int] | None = None,
) -> AsyncIterator[Running]:
    tasks = LedgerTasks(database, failures or {})
    clients = Clients(step_functions.states, step_functions.sqs)
    aws = AwsWorkflow(lambda: clients, machine, step_functions.queue)
    engine = StepFunctionsEngine(database, aws, tasks, utc_now, look_every=SOON)
    async with running(engine.run()):
        yield Running(step_functions, machine, database, tasks, engine)


def _hurried(document: Json) -> Json:
    """The definition with a time limit that a test can wait for."""
    assert isinstance(document, dict)
    states = document["States"]
    assert isinstance(states, dict)
    work = states[WORK]
    assert isinstance(work, dict)
    changed: dict[str, Json] = {**work, "TimeoutSeconds": TIME_LIMIT}
    return {**document, "States": {**states, WORK: changed}}
