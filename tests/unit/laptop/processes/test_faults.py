"""Faults of a process: each replaces the one before."""

import asyncio
from dataclasses import dataclass, field

from laptop.processes.faults import Faults
from tests.eventually import eventually


@dataclass
class FakeProcess:
    """A process, and what happened to it."""

    happened: list[str] = field(default_factory=list)

    def crash(self) -> None:
        self.happened.append("crash")

    def freeze(self) -> None:
        self.happened.append("freeze")

    def thaw(self) -> None:
        self.happened.append("thaw")


def test_killing_ends_the_process() -> None:
    process = FakeProcess()
    Faults(process).apply("kill")
    assert process.happened[-1] == "crash"


def test_mending_lets_a_frozen_process_continue() -> None:
    process = FakeProcess()
    faults = Faults(process)
    faults.apply("freeze")
    assert process.happened[-1] == "freeze"
    faults.apply("mend")
    assert process.happened[-1] == "thaw"


async def test_slow_process_stops_and_works_in_turn_until_it_is_mended() -> None:
    process = FakeProcess()
    time_passes = asyncio.Semaphore(0)

    async def sleep(_seconds: float) -> None:
        await time_passes.acquire()

    faults = Faults(process, sleep)
    faults.apply("slow")
    for _ in range(4):
        time_passes.release()

    async def three_times() -> bool:
        return process.happened.count("freeze") == 3

    await eventually(three_times)
    faults.apply("mend")
    for _ in range(4):
        time_passes.release()
        await asyncio.sleep(0)
    assert process.happened == ["thaw", *(["freeze", "thaw"] * 3)]
