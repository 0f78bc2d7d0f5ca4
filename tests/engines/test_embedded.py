"""The embedded engine: scenarios, restarts, and several processes at one database."""

import asyncio
import json
from datetime import timedelta

import pytest

from kernel.data.database import Database
from kernel.data.notifications import NotificationListener
from kernel.process.background import running
from kernel.process.clock import utc_now
from services.cases.engines.adoption import ABANDONED_AFTER, Adoption
from services.cases.engines.definition import AfterEscalation, load_case_workflow
from services.cases.engines.embedded import EmbeddedEngine, Lease
from services.cases.engines.execution_store import CHANNEL, ExecutionStore
from services.cases.engines.remote_store import RemoteStore
from tests.engines.ledger import FOR_GOOD, LedgerTasks, acts
from tests.engines.playing import JumpingClock, begin, decide, engine_of, find, play, waits
from tests.engines.scenarios import ASSIGN, CLOSE, OPEN, SCENARIOS, WORK
from tests.eventually import eventually
from workflow.record import Status
from workflow.transition import Happened


def states(history: list[Happened]) -> tuple[str, ...]:
    return tuple(one.state for one in history if one.state and one.type.endswith("Entered"))


@pytest.mark.parametrize("name", SCENARIOS)
async def test_case_passes_the_expected_states(name: str, cases_database: Database) -> None:
    scenario, clock = SCENARIOS[name], JumpingClock()
    tasks = LedgerTasks(cases_database, dict(scenario.failures))
    engine = engine_of(tasks, clock, scenario.after_escalation)
    await begin(engine, cases_database, 1)
    execution = await play(engine, tasks, clock, 1, scenario.decisions)
    history = await ExecutionStore(cases_database).history(1)
    assert states(history) == scenario.states
    if scenario.message is not None:
        assert execution.data == {
            "Case": "001",
            "Status": 1,
            "Message": f"Case 001: {scenario.message}",
        }
        assert await acts(cases_database) == {1: 1}
    else:
        assert execution.error == scenario.error
        row = await cases_database.row("SELECT failure FROM ledger_cases")
        assert row is not None
        assert row["failure"] == f"{scenario.error}: {scenario.cause}"


async def test_execution_is_started_with_its_case_or_not_at_all(cases_database: Database) -> None:
    engine = engine_of(LedgerTasks(cases_database), JumpingClock())

    async def store_a_case_and_fail() -> None:
        async with cases_database.transaction() as connection:
            await engine.start(connection, 1)
            raise RuntimeError("the case cannot be stored")

    with pytest.raises(RuntimeError):
        await store_a_case_and_fail()
    assert not await engine.run_one()
    assert await ExecutionStore(cases_database).next_due() is None


async def test_second_start_changes_nothing(cases_database: Database) -> None:
    tasks, clock = LedgerTasks(cases_database), JumpingClock()
    engine = engine_of(tasks, clock)
    await begin(engine, cases_database, 1)
    while await engine.run_one():
        pass
    before = await find(cases_database, 1)
    await begin(engine, cases_database, 1)
    assert await find(cases_database, 1) == before


async def test_execution_resumes_in_another_process(cases_database: Database) -> None:
    tasks, clock = LedgerTasks(cases_database), JumpingClock()
    await begin(engine_of(tasks, clock), cases_database, 1)
    transitions = 0
    while await engine_of(tasks, clock).run_one():
        transitions += 1
    assert waits(await find(cases_database, 1))
    execution = await play(engine_of(tasks, clock), tasks, clock, 1, [True])
    assert (transitions, execution.status) == (3, Status.SUCCEEDED)


async def test_time_limit_is_observed_after_a_restart(cases_database: Database) -> None:
    tasks, clock = LedgerTasks(cases_database), JumpingClock()
    engine = engine_of(tasks, clock)
    await begin(engine, cases_database, 1)
    while await engine.run_one():
        pass
    clock.jump_to(clock.now + timedelta(days=30))
    later = engine_of(tasks, clock)
    while await later.run_one():
        pass
    assert (await find(cases_database, 1)).state == WORK
    assert "escalating." in str((await find(cases_database, 1)).data)


async def test_task_that_nobody_finishes_is_taken_over_with_the_same_step(
    cases_database: Database,
) -> None:
    class Stuck(LedgerTasks):
        steps: tuple[str, ...] = ()

        async def escalate(self, case: int, step: str) -> str:
            self.steps = (*self.steps, step)
            if len(self.steps) == 1:
                raise asyncio.CancelledError
            return await super().escalate(case, step)

    tasks, clock = Stuck(cases_database), JumpingClock()
    engine = engine_of(tasks, clock)
    await begin(engine, cases_database, 1)
    with pytest.raises(asyncio.CancelledError):
        await play(engine, tasks, clock, 1, [False])
    assert not await engine.run_one()
    await play(engine_of(tasks, clock), tasks, clock, 1, [True])
    first, second = tasks.steps
    assert first == second


async def test_task_that_takes_too_long_is_unavailable(cases_database: Database) -> None:
    class Slow(LedgerTasks):
        async def open(self, case: int, step: str) -> str:
            await asyncio.Event().wait()
            raise AssertionError(case, step)

    tasks, clock = Slow(cases_database), JumpingClock()
    engine = engine_of(tasks, clock, lease=Lease(work=0.01, takeover=60))
    await begin(engine, cases_database, 1)
    await engine.run_one()
    history = await ExecutionStore(cases_database).history(1)
    assert history[-1].type == "TaskFailed"
    assert history[-1].details["error"] == "Unavailable"


async def test_unavailable_context_is_tried_for_hours(cases_database: Database) -> None:
    tasks = LedgerTasks(cases_database, {ASSIGN: 90}, unavailable=True)
    clock = JumpingClock()
    engine = engine_of(tasks, clock)
    await begin(engine, cases_database, 1)
    began = clock.now
    execution = await play(engine, tasks, clock, 1, [True])
    assert execution.status is Status.SUCCEEDED
    assert timedelta(hours=6) < clock.now - began < timedelta(hours=12)


async def test_failure_is_shown_on_the_case_until_that_works(cases_database: Database) -> None:
    class Unreported(LedgerTasks):
        reports: int = 0

        async def fail(self, case: int, step: str, error: str, cause: str) -> None:
            self.reports += 1
            if self.reports < 3:
                raise RuntimeError("not now")
            await super().fail(case, step, error, cause)

    tasks, clock = Unreported(cases_database, {OPEN: FOR_GOOD}), JumpingClock()
    engine = engine_of(tasks, clock)
    await begin(engine, cases_database, 1)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await play(engine, tasks, clock, 1, [])
    await play(engine, tasks, clock, 1, [])
    assert tasks.reports == 3


async def test_state_of_another_version_does_not_stop_other_cases(cases_database: Database) -> None:
    tasks, clock = LedgerTasks(cases_database), JumpingClock()
    engine = engine_of(tasks, clock)
    for case in (1, 2):
        await begin(engine, cases_database, case)
    await cases_database.write(
        "UPDATE executions SET record = jsonb_set(record, '{state}', '\"Review Case\"')"
        " WHERE case_id = 1"
    )
    while await engine.run_one():
        pass
    assert waits(await find(cases_database, 2))
    assert (await find(cases_database, 1)).state == "Review Case"


async def test_second_answer_and_early_answer_change_nothing(cases_database: Database) -> None:
    tasks, clock = LedgerTasks(cases_database), JumpingClock()
    engine = engine_of(tasks, clock)
    await begin(engine, cases_database, 1)
    await engine.run_one()
    async with cases_database.transaction() as connection:
        await engine.answer(
            connection, 2, await tasks.decide(connection, 1, True)
        )  # no such execution
        await engine.answer(
            connection, 1, await tasks.decide(connection, 1, True)
        )  # it does not wait yet
    while await engine.run_one():
        pass
    await decide(engine, tasks, 1, False)
    history = await ExecutionStore(cases_database).history(1)
    assert (await find(cases_database, 1)).status is Status.SUCCEEDED
    assert history[-1].type == "ExecutionSucceeded"
    assert states(history).count(CLOSE) == 1


async def test_processes_share_executions_and_do_each_step_once(cases_database: Database) -> None:
    clock, cases = JumpingClock(), range(1, 21)
    tasks = LedgerTasks(cases_database)
    engines = [engine_of(tasks, clock) for _ in range(4)]
    for case in cases:
        await begin(engines[0], cases_database, case)

    async def work(engine: EmbeddedEngine) -> int:
        done = 0
        while await engine.run_one():
            done += 1
        return done

    shares = await asyncio.gather(*map(work, engines))
    assert sum(shares) >= 3 * len(cases)
    rows = await cases_database.rows(
        "SELECT case_id, state, count(*) AS calls FROM ledger_calls GROUP BY case_id, state"
    )
    assert {row["calls"] for row in rows} == {1}
    assert len(rows) == 3 * len(cases)
    for case in cases:
        assert waits(await find(cases_database, case))


async def test_decision_wakes_another_process(cases_url: str, cases_database: Database) -> None:
    tasks = LedgerTasks(cases_database)
    machine = load_case_workflow(AfterEscalation.LOOP)
    runs, decides = (EmbeddedEngine(cases_database, machine, tasks, utc_now) for _ in range(2))
    listener = NotificationListener(cases_url, {CHANNEL: runs.wake})

    async def is_waiting() -> bool:
        return waits(await find(cases_database, 1))

    async def is_closed() -> bool:
        return (await find(cases_database, 1)).status is Status.SUCCEEDED

    async with running(listener.run(), runs.run()):
        await begin(decides, cases_database, 1)
        await eventually(is_waiting)
        await decide(decides, tasks, 1, True)
        await eventually(is_closed)


async def test_waiting_cases_are_not_due_and_have_no_connection(
    cases_database: Database,
) -> None:
    clock = JumpingClock()
    tasks = LedgerTasks(cases_database)
    engine = engine_of(tasks, clock)
    async with cases_database.transaction() as connection:
        for case in range(1, 201):
            await engine.start(connection, case)
    while await engine.run_one():
        pass
    due = await ExecutionStore(cases_database).next_due()
    assert due is not None
    assert due - clock.now > timedelta(days=6)
    assert not await engine.run_one()
    row = await cases_database.row(
        "SELECT count(*) AS connections FROM pg_stat_activity WHERE datname = current_database()"
    )
    assert row is not None
    assert row["connections"] == 1


async def test_execution_that_step_functions_has_left_is_adopted(cases_database: Database) -> None:
    tasks, clock = LedgerTasks(cases_database), JumpingClock()
    engine, remote = engine_of(tasks, clock), RemoteStore(cases_database)
    adoption = Adoption(cases_database, engine, clock)
    async with cases_database.transaction() as connection:
        await remote.create(connection, 1, clock())
    assert await adoption.adopt() == 0
    clock.jump_to(clock.now + ABANDONED_AFTER)
    assert await adoption.adopt() == 1
    assert not await remote.is_open(1)
    assert await remote.next_due() is None
    execution = await play(engine, tasks, clock, 1, [True])
    assert execution.status is Status.SUCCEEDED


def test_definition_names_its_states() -> None:
    document = json.dumps(load_case_workflow(AfterEscalation.LOOP).document)
    assert "${" not in document
