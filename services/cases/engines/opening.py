"""Opens the engines of a process.

Step Functions runs new cases where it is configured. The embedded engine runs everywhere, since
other processes may have started cases with it: a monolith beside the services, or before them.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from kernel.data.database import Connection, Database
from kernel.process.background import running
from kernel.process.clock import Clock
from services.cases.engines.adoption import Adoption
from services.cases.engines.aws import AwsWorkflow, connect
from services.cases.engines.definition import AfterEscalation, load_case_workflow
from services.cases.engines.embedded import EmbeddedEngine
from services.cases.engines.execution_store import CHANNEL
from services.cases.engines.remote_store import RemoteStore
from services.cases.engines.step_functions import StepFunctionsEngine
from services.cases.engines.steps import output
from services.cases.settings import CaseSettings
from services.cases.workflow import CaseTasks, CaseWorkflow, Outcome


@dataclass(frozen=True, slots=True)
class Engines:
    """Implements `CaseWorkflow`. `channels` is what a `NotificationListener` has to listen to."""

    starts: CaseWorkflow
    embedded: EmbeddedEngine
    remote: RemoteStore
    clock: Clock
    channels: Mapping[str, Callable[[str], None]]

    async def start(self, connection: Connection, case: int) -> None:
        """Begin the case's execution, in the caller's transaction."""
        await self.starts.start(connection, case)

    async def answer(self, connection: Connection, case: int, outcome: Outcome) -> None:
        """Complete the case's `Work on Case` if it waits, whichever engine runs the case."""
        await self.embedded.answer(connection, case, outcome)
        await self.remote.answer(connection, case, output(case, outcome), self.clock())


@asynccontextmanager
async def open_workflow(
    settings: CaseSettings, database: Database, tasks: CaseTasks, clock: Clock
) -> AsyncIterator[Engines]:
    """The engines and their background work, until the block ends. Raises `DefinitionRefused`."""
    machine = load_case_workflow(AfterEscalation(settings.case_after_escalation))
    embedded = EmbeddedEngine(database, machine, tasks, clock)
    arn, queue = settings.case_state_machine_arn, settings.case_queue
    store = RemoteStore(database)
    if arn is None or queue is None:
        channels = {CHANNEL: embedded.wake}
        adoption = Adoption(database, embedded, clock)
        async with running(embedded.run(), adoption.run()):
            yield Engines(embedded, embedded, store, clock, channels)
        return
    aws = AwsWorkflow(partial(connect, arn), arn, queue)
    remote = StepFunctionsEngine(database, aws, tasks, clock)

    def wake(payload: str) -> None:
        embedded.wake(payload)
        remote.wake(payload)

    async with running(embedded.run(), remote.run()):
        yield Engines(remote, embedded, store, clock, {CHANNEL: wake})
