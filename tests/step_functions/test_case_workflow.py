"""The case workflow on the emulator's Step Functions goes the ways that it goes on the embedded
engine, which tests/engines plays through the same scenarios."""

import secrets

import pytest

from kernel.data.database import Database
from tests.engines.ledger import acts
from tests.engines.scenarios import SCENARIOS
from tests.eventually import eventually
from tests.step_functions.emulator import Emulator
from tests.step_functions.working import running_engine
from workflow.values import Json


@pytest.mark.parametrize("name", SCENARIOS)
async def test_case_passes_the_expected_states_on_step_functions(
    name: str, emulated: Emulator, cases_database: Database
) -> None:
    scenario = SCENARIOS[name]
    failures = dict(scenario.failures)
    async with running_engine(
        emulated, cases_database, scenario.after_escalation, failures
    ) as found:
        await found.start(1)
        for resolved in scenario.decisions:
            await found.decide(1, resolved)
        finished = await found.finished(1)
    assert tuple(finished.states) == scenario.states
    if scenario.message is not None:
        assert finished.output == {
            "Case": "001",
            "Status": 1,
            "Message": f"Case 001: {scenario.message}",
        }
        assert await acts(cases_database) == {1: 1}
    else:
        assert finished.error == scenario.error
        row = await cases_database.row("SELECT failure FROM ledger_cases")
        assert row is not None
        assert row["failure"] == f"{scenario.error}: {scenario.cause}"


async def test_lost_execution_starts_again_where_the_case_was(
    emulated: Emulator, cases_database: Database
) -> None:
    async with running_engine(emulated, cases_database) as found:
        await found.start(1)
        await found.decide(1, False)

        async def waits_for_tier_2() -> bool:
            row = await cases_database.row("SELECT message FROM ledger_cases")
            return "escalating" in str(row) and await found.is_waiting(1)

        await eventually(waits_for_tier_2, within=20)
        lost = await found.execution(1)
        found.step_functions.states.stop_execution(executionArn=lost)

        async def is_another_execution() -> bool:
            found.engine.wake()
            return await found.execution(1) != lost

        await eventually(is_another_execution, within=20)
        await found.decide(1, True)
        finished = await found.finished(1)
    assert finished.output == {
        "Case": "001",
        "Status": 1,
        "Message": "Case 001: opened...assigned...unresolved...escalating.resolved...closed.",
    }
    assert await acts(cases_database) == {1: 1}


async def test_message_that_nobody_waits_for_is_dropped(
    emulated: Emulator, cases_database: Database
) -> None:
    async with running_engine(emulated, cases_database) as found:
        await found.start(1)
        await found.decide(1, True)
        await found.finished(1)
        calls = await cases_database.row("SELECT count(*) AS calls FROM ledger_calls")
        given: Json = {"Case": "001", "Status": 0}
        token = secrets.token_hex(8)
        await found.put({"Token": token, "State": "Escalate Case", "Step": "old", "Input": given})
        await eventually(found.queue_is_empty, within=20)
        assert await cases_database.row("SELECT count(*) AS calls FROM ledger_calls") == calls


async def test_message_that_cannot_be_read_stays_for_the_dead_letter_queue(
    emulated: Emulator, cases_database: Database
) -> None:
    async with running_engine(emulated, cases_database) as found:
        await found.put({"Token": "t", "State": "s", "Step": "x", "Input": {}})

        async def is_received() -> bool:
            return (await found.messages())[1] == 1

        await eventually(is_received, within=20)
        await found.start(1)
        await found.decide(1, True)
        await found.finished(1)
        assert await found.messages() == (0, 1)
