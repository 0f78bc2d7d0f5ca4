"""Background work is repeated, whatever happens to it."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from kernel.errors import Unavailable
from kernel.process.background import repeat, running
from tests.eventually import eventually

log = logging.getLogger("board.tests")


class Work:
    """Does what each of `steps` does, and records the seconds that are waited before each."""

    def __init__(self, *steps: Callable[[], float]) -> None:
        self.steps = [*steps]
        self.waits: list[float] = []

    async def attempt(self) -> float:
        return self.steps.pop(0)()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if not self.steps:
            await asyncio.Event().wait()

    async def run(self, first: float = 0.0) -> None:
        """Do all steps."""
        works = repeat(self.attempt, log, "sweeping", pause=9.0, first=first, sleep=self.sleep)
        async with running(works):

            async def done() -> bool:
                return not self.steps

            await eventually(done)


def down() -> float:
    raise Unavailable("The yard is closed.")


def broken() -> float:
    raise ValueError("a defect")


async def test_attempt_says_when_it_is_called_again() -> None:
    work = Work(lambda: 2.0, lambda: 3.0)
    await work.run(first=5.0)
    assert work.waits == [5.0, 2.0, 3.0]


async def test_failed_attempt_is_called_again_after_the_pause() -> None:
    work = Work(lambda: 2.0, down, broken, lambda: 3.0)
    await work.run()
    assert work.waits == [2.0, 9.0, 9.0, 3.0]


async def test_outage_is_logged_when_it_begins_and_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, log.name)
    await Work(down, down, lambda: 1.0, lambda: 1.0, broken).run()
    assert caplog.messages == [
        "sweeping waits: The yard is closed.",
        "sweeping goes on",
        "sweeping failed",
    ]
    assert caplog.records[-1].exc_info is not None
