"""The board behaves as a simple model of it, whatever users do, in any order, at the same time, and
through several instances."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.deployments import Board
from tests.effort import Effort
from tests.machine import PEOPLE, BoardMachine
from tests.people import joining, moderating
from tests.world import World


@pytest.mark.prove
@pytest.mark.timeout(7200)
async def test_board_behaves_as_its_model(
    monolith: Board,
    services: Board,
    effort: Effort,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    async with (
        joining(monolith) as one,
        joining(services) as two,
        joining(monolith) as three,
        moderating(services) as moderator,
    ):
        world = World.of([monolith.url, services.url], [one, two, three], moderator)
        assert len(world.people) == PEOPLE

        class Machine(BoardMachine):
            def __init__(self) -> None:
                super().__init__(world)

        runs = settings(
            max_examples=5,
            stateful_step_count=effort.steps_a_run,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        )
        try:
            while world.steps < effort.steps:
                # In another thread, because this one serves the board.
                await asyncio.to_thread(run_state_machine_as_test, Machine, settings=runs)
        finally:
            world.close()
            record_testsuite_property("steps of the model", world.steps)
