"""Reports act once, however often processes crash and tasks and decisions are repeated."""

import random
from datetime import timedelta

import pytest

from kernel.data.database import Database
from kernel.data.idempotency import IdempotentWrite
from kernel.errors import Conflict, Policy
from services.cases.engines.definition import WORK, AfterEscalation, load_case_workflow
from services.cases.engines.embedded import EmbeddedEngine
from services.cases.model import Case, Choice, NewReport
from services.cases.store import CaseStore
from services.cases.task_store import TaskStore
from services.cases.tasks import Tasks
from services.cases.workflow import Outcome
from tests.effort import Effort
from tests.engines.acting import ADMIN, AUTHOR, MODERATOR, ActingContexts
from tests.engines.dying import DyingDatabase
from tests.engines.ledger import acts
from tests.engines.playing import JumpingClock, find, waits
from workflow.record import Status

SEED = 20
CRASHES = 0.05  # at each point
DUPLICATES = 0.3
LEASE_OVER = timedelta(minutes=1)
POLICY = Policy("report", 0, 60)


class Crash(BaseException):
    """The process is gone."""


class RepeatedTasks:
    """Calls some of the board's tasks twice, as a queue that delivers at least once does."""

    def __init__(self, tasks: Tasks, chance: random.Random) -> None:
        self._tasks = tasks
        self._chance = chance

    async def open(self, case: int, step: str) -> str:
        await self._tasks.open(case, step) if self._again() else None
        return await self._tasks.open(case, step)

    async def assign(self, case: int, step: str) -> str:
        await self._tasks.assign(case, step) if self._again() else None
        return await self._tasks.assign(case, step)

    async def work(self, case: int, step: str) -> Outcome | None:
        await self._tasks.work(case, step) if self._again() else None
        return await self._tasks.work(case, step)

    async def close(self, case: int, step: str) -> str:
        await self._tasks.close(case, step) if self._again() else None
        return await self._tasks.close(case, step)

    async def escalate(self, case: int, step: str) -> str:
        await self._tasks.escalate(case, step) if self._again() else None
        return await self._tasks.escalate(case, step)

    async def fail(self, case: int, step: str, error: str, cause: str) -> None:
        raise AssertionError(f"case {case} failed at {step}: {error}: {cause}")

    def _again(self) -> bool:
        return self._chance.random() < DUPLICATES


class Process:
    """What a process does until it crashes."""

    def __init__(self, database: Database, clock: JumpingClock, chance: random.Random) -> None:
        self._database = database
        self._clock = clock
        self._chance = chance
        contexts = ActingContexts(database)
        tasks = Tasks(TaskStore(database), contexts, contexts, contexts, clock)
        machine = load_case_workflow(AfterEscalation.LOOP)
        repeated = RepeatedTasks(tasks, chance)
        self._engine = EmbeddedEngine(database, machine, repeated, clock)
        self._store = CaseStore(database)

    async def report(self, post: int) -> int:
        """Report the post, which may have an open case already; the case."""
        new = NewReport(post, AUTHOR, post, 9, "spam", None)
        write = IdempotentWrite[tuple[Case, bool]].without_key()
        case, _ = await self._store.report(new, self._clock(), POLICY, write, self._engine)
        return case.id

    async def work(self, case: int) -> None:
        """Run the case to its end."""
        while True:
            while await self._engine.run_one():
                pass
            execution = await find(self._database, case)
            if execution.status is not Status.RUNNING:
                return
            if waits(execution):
                for _ in range(2 if self._chance.random() < DUPLICATES else 1):
                    await self._decide(case)
            else:
                # Somebody who crashed had it.
                self._clock.jump_to(self._clock.now + LEASE_OVER)

    async def _decide(self, case: int) -> None:
        found = await self._store.find(case, None)
        assert found is not None
        resolved = found.tier == 2
        choice = Choice(resolved, "remove-post" if resolved else "none", None)
        actor = ADMIN if resolved else MODERATOR
        try:
            await self._store.decide(
                case, actor, choice, self._clock(), Case.check_undecided, self._engine
            )
        except Conflict:
            # This person has decided twice.
            assert (await find(self._database, case)).state != WORK or found.answer


@pytest.mark.prove
@pytest.mark.timeout(1_800)
async def test_report_acts_once_despite_crashes_and_repetitions(
    cases_url: str, cases_database: Database, effort: Effort
) -> None:
    chance, clock, crashes = random.Random(SEED), JumpingClock(), 0
    cases: dict[int, int] = {}

    def maybe_crash() -> None:
        if chance.random() < CRASHES:
            raise Crash

    async with DyingDatabase.open(cases_url) as database:
        assert isinstance(database, DyingDatabase)
        database.at_point = maybe_crash
        for post in range(1, effort.case_runs + 1):
            ended = False
            while not ended:
                process = Process(database, clock, chance)
                try:
                    if post not in cases:
                        cases[post] = await process.report(post)
                    await process.work(cases[post])
                    ended = True
                except Crash:
                    crashes += 1
                    clock.jump_to(clock.now + LEASE_OVER)
    assert crashes > effort.case_runs
    assert await acts(cases_database) == dict.fromkeys(range(1, effort.case_runs + 1), 1)
    store = CaseStore(cases_database)
    for post, case in cases.items():
        found = await store.find(case, None)
        assert found is not None
        assert (found.post, found.state, found.tier) == (post, "closed", 2)
        assert found.message == (
            f"Case {case:03d}: opened...assigned...unresolved...escalating.resolved...closed."
        )
        assert [event.state for event in found.history] == [
            *("opened", "assigned", "working", "working", "escalated"),
            *("working", "working", "closed"),
        ]
