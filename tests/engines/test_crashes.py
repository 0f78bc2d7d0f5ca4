"""Cases whose processes crash, and whose tasks and decisions are repeated, act once."""

import random
from datetime import timedelta

import pytest

from kernel.data.database import Database
from services.cases.engines.embedded import EmbeddedEngine
from services.cases.engines.execution_store import ExecutionStore
from services.cases.workflow import Outcome
from tests.effort import Effort
from tests.engines.dying import DyingDatabase
from tests.engines.ledger import LedgerTasks, acts
from tests.engines.playing import JumpingClock, begin, decide, engine_of, find, waits
from workflow.record import Status

SEED = 18
CRASHES = 0.08  # at each point
DUPLICATES = 0.3
LEASE_OVER = timedelta(minutes=1)


class Crash(BaseException):
    """Stands for the end of the process."""


class Repeated(LedgerTasks):
    """Calls some tasks twice, as a queue that delivers at least once does."""

    chance: random.Random

    async def open(self, case: int, step: str) -> str:
        await super().open(case, step) if self._again() else None
        return await super().open(case, step)

    async def work(self, case: int, step: str) -> Outcome | None:
        await super().work(case, step) if self._again() else None
        return await super().work(case, step)

    async def close(self, case: int, step: str) -> str:
        await super().close(case, step) if self._again() else None
        return await super().close(case, step)

    async def escalate(self, case: int, step: str) -> str:
        await super().escalate(case, step) if self._again() else None
        return await super().escalate(case, step)

    def _again(self) -> bool:
        return self.chance.random() < DUPLICATES


async def one_life(engine: EmbeddedEngine, tasks: Repeated, clock: JumpingClock, case: int) -> bool:
    """Run a process until it crashes or the case ends. Returns whether the case has ended."""
    await begin(engine, tasks.database, case)
    while True:
        while await engine.run_one():
            pass
        execution = await find(tasks.database, case)
        if execution.status is not Status.RUNNING:
            return True
        if waits(execution):
            resolved = "escalating" in str(execution.data)
            for _ in range(2 if tasks.chance.random() < DUPLICATES else 1):
                await decide(engine, tasks, case, resolved)
        else:
            due = await ExecutionStore(tasks.database).next_due()
            assert due is not None
            clock.jump_to(due)


@pytest.mark.prove
@pytest.mark.timeout(1_800)
async def test_case_acts_once_whatever_crashes_and_is_repeated(
    cases_url: str, cases_database: Database, effort: Effort
) -> None:
    chance, clock, crashes = random.Random(SEED), JumpingClock(), 0

    def maybe_crash() -> None:
        if chance.random() < CRASHES:
            raise Crash

    async with DyingDatabase.open(cases_url) as database:
        assert isinstance(database, DyingDatabase)
        database.at_point = maybe_crash
        tasks = Repeated(database)
        tasks.chance = chance
        for case in range(1, effort.case_runs + 1):
            ended = False
            while not ended:
                try:
                    ended = await one_life(engine_of(tasks, clock), tasks, clock, case)
                except Crash:
                    crashes += 1
                    clock.jump_to(clock.now + LEASE_OVER)
    cases = range(1, effort.case_runs + 1)
    assert crashes > effort.case_runs
    assert await acts(cases_database) == dict.fromkeys(cases, 1)
    calls = await cases_database.row(
        "SELECT count(*) AS calls FROM ledger_calls WHERE state = 'Close Case'"
    )
    assert calls is not None
    assert calls["calls"] > effort.case_runs
    for case in cases:
        assert (await find(cases_database, case)).data == {
            "Case": f"{case:03d}",
            "Status": 1,
            "Message": f"Case {case:03d}: opened...assigned...unresolved...escalating."
            "resolved...closed.",
        }
