"""Runs a case on the embedded engine with a clock that the test sets."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from kernel.data.database import Database
from services.cases.engines.definition import WORK, AfterEscalation, load_case_workflow
from services.cases.engines.embedded import EmbeddedEngine, Lease
from services.cases.engines.execution_store import ExecutionStore
from tests.engines.ledger import LedgerTasks
from workflow.record import Called, Execution, Status

MOST_ROUNDS = 500


class JumpingClock:
    """A clock that advances by a millisecond each time it is read, and can jump."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 30, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def jump_to(self, moment: datetime) -> None:
        """Jump to a time, but never back."""
        self.now = max(self.now, moment)


def engine_of(
    tasks: LedgerTasks,
    clock: JumpingClock,
    after_escalation: AfterEscalation = AfterEscalation.LOOP,
    lease: Lease | None = None,
) -> EmbeddedEngine:
    """An engine, as each process has one."""
    machine = load_case_workflow(after_escalation)
    return EmbeddedEngine(tasks.database, machine, tasks, clock, lease)


async def begin(engine: EmbeddedEngine, database: Database, case: int) -> None:
    """Start a case's execution."""
    async with database.transaction() as connection:
        await engine.start(connection, case)


async def find(database: Database, case: int) -> Execution:
    """A case's execution."""
    async with database.transaction() as connection:
        found = await ExecutionStore(database).select_for_update(connection, case)
    assert found is not None
    return found


def waits(execution: Execution) -> bool:
    """Whether it waits for a person."""
    phase = execution.phase
    return execution.state == WORK and isinstance(phase, Called) and phase.delivered


async def decide(engine: EmbeddedEngine, tasks: LedgerTasks, case: int, resolved: bool) -> None:
    """Make a person's decision."""
    async with tasks.database.transaction() as connection:
        await engine.answer(connection, case, await tasks.decide(connection, case, resolved))


async def play(
    engine: EmbeddedEngine,
    tasks: LedgerTasks,
    clock: JumpingClock,
    case: int,
    decisions: Sequence[bool],
) -> Execution:
    """Run a case, which has been started, to its end."""
    store, open_decisions = ExecutionStore(tasks.database), list(decisions)
    for _ in range(MOST_ROUNDS):
        while await engine.run_one():
            pass
        execution = await find(tasks.database, case)
        due = await store.next_due()
        if execution.status is not Status.RUNNING and due is None:
            return execution
        if waits(execution) and open_decisions:
            await decide(engine, tasks, case, open_decisions.pop(0))
        elif due is not None:
            clock.jump_to(due)
    raise AssertionError(f"case {case} does not end: {await find(tasks.database, case)}")
