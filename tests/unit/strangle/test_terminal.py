"""What a play shows while it runs, and the figures at its end."""

import asyncio
import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from rich.console import Console

from strangle.show.terminal import Terminal, can_press_enter, summary
from tests.eventually import eventually
from tests.unit.strangle.histories import result, sample, step
from topology.deployments import SERVICES


def playing() -> Any:
    """A play in its first step."""
    return SimpleNamespace(result=result(sample(101.0)), current=step())


async def shown(console: Console, output: io.StringIO, what: str) -> str:
    terminal = Terminal(3, "http://localhost:1", console)
    with terminal.live():
        following = asyncio.create_task(terminal.follow(cast(Any, playing())))

        async def is_there() -> bool:
            return what in output.getvalue()

        await eventually(is_there)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    return output.getvalue()


async def test_terminal_shows_a_bar_for_each_service_and_the_step() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=120)
    text = await shown(console, output, "so far")
    for service in SERVICES:
        assert service in text
    assert "on AWS: make shift ON=aws CONTEXT=posts SHARE=10" in text
    assert "1 so far, 0 failed" in text


async def test_output_that_is_no_terminal_has_one_line_for_each_step() -> None:
    output = io.StringIO()
    text = await shown(Console(file=output, width=120), output, "posts 10 %")
    assert text == "posts 10 %: One <request> in ten.\n"


def test_summary_compares_steps_with_the_time_between_them() -> None:
    samples = [sample(101.0, latency=0.010), sample(103.1, latency=0.025)]
    assert [*summary(result(*samples))] == [
        "2 requests in 10 s (0 a second)",
        "between steps: p50 10.0 ms, p95 10.0 ms, p99 10.0 ms (1 requests)",
        "during steps: p50 25.0 ms, p95 25.0 ms, p99 25.0 ms (1 requests)",
        "p99 during steps is 2.5 times that between steps",
    ]


def test_summary_says_that_the_machine_was_too_slow_for_the_load() -> None:
    late = [sample(101.0, latency=0.3, sent=101.2) for _ in range(3)]
    assert any("sent 200 ms late" in line for line in summary(result(*late)))
    assert not any("late" in line for line in summary(result(sample(101.0))))


def test_enter_can_be_pressed_in_a_pipe_and_not_in_a_file(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe, os.fdopen(writing, "w"):
        assert can_press_enter(pipe)
    path = tmp_path / "file"
    path.write_text("\n")
    with path.open() as file:
        assert not can_press_enter(file)
