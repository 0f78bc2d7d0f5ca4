"""The settings of `make soak`, and the measurements that it leaves."""

import asyncio
import random
from pathlib import Path
from typing import cast

import pytest

from chaos.drift import Use
from chaos.soak import Measurements, Settings, read
from strangle.errors import CannotPlayError
from strangle.load.arrivals import Arrivals
from strangle.load.visitors import Visitors
from tests.eventually import eventually


def test_default_is_a_quarter_of_an_hour_at_half_of_the_highest_rate() -> None:
    assert read({"MINUTES": "", "RATE": ""}).minutes == Settings.minutes == 15
    assert read({}).rate is None


def test_reads_every_setting() -> None:
    settings = read({"MINUTES": "3", "RATE": "100", "REPORT": "/tmp/soak"})  # noqa: S108 - not written
    assert (settings.minutes, settings.rate, str(settings.report)) == (3, 100, "/tmp/soak")  # noqa: S108


@pytest.mark.parametrize(("name", "value"), [("RATE", "9"), ("MINUTES", "0"), ("MINUTES", "long")])
def test_rejects_invalid_values(name: str, value: str) -> None:
    with pytest.raises(CannotPlayError, match=f"{name}={value}: it must be"):
        read({name: value})


def test_measurements_are_written_with_the_requests_of_their_round(tmp_path: Path) -> None:
    uses = {"posts": [Use(5.0, 100, 10), Use(7.04, 110, 11)], "web": [Use(7.1, 50, 5, 2)]}
    file = tmp_path / "soak.csv"
    Measurements(uses, [3, 8]).write(file)
    assert file.read_text().splitlines() == [
        "seconds,process,memory,files,connections,requests",
        "0.0,posts,100,10,0,3",
        "2.0,posts,110,11,0,8",
        "2.1,web,50,5,2,8",
    ]


class Patient:
    """Visitors who wait until `leave` is set."""

    def __init__(self) -> None:
        self.waiting = 0
        self.leave = asyncio.Event()

    async def act(self, _: float) -> None:
        self.waiting += 1
        await self.leave.wait()

    async def are_five(self) -> bool:
        return self.waiting >= 5


async def test_load_counts_the_requests_that_are_open_at_once() -> None:
    visitors = Patient()
    arrivals = Arrivals(cast("Visitors", visitors), 500, random.Random(1))
    load = asyncio.create_task(arrivals.run())
    await eventually(visitors.are_five, what="five visitors wait")
    load.cancel()
    await asyncio.gather(load, return_exceptions=True)
    assert arrivals.most_at_once() >= 5
    visitors.leave.set()
    await arrivals.drain()
    assert arrivals.most_at_once() >= 5, "they were open when the last count ended"
    assert arrivals.most_at_once() == 0
