"""What a play shows in the terminal while it runs."""

import asyncio
import os
import stat
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from strangle.play import Play, Result
from strangle.show.figures import Latency, between, during, lateness
from strangle.steps import Step
from topology.deployments import MONOLITH, SERVICES

_RECENT_SECONDS = 2.0
_REFRESH_SECONDS = 0.5
_TOO_LATE = 100.0  # milliseconds


class Terminal:
    """Shows a play: as a table that changes, or a line for each step where there is no terminal."""

    def __init__(self, steps: int, url: str, console: Console | None = None) -> None:
        self._steps = steps
        self._url = url
        self._console = console or Console()
        self._live: Live | None = None
        self._waiting = False

    def live(self) -> AbstractContextManager[object]:
        """Shows the table until the block ends."""
        if not self._console.is_terminal:
            return nullcontext()
        self._live = Live(console=self._console, auto_refresh=False)
        return self._live

    async def follow(self, play: Play) -> None:
        """Show what happens, until cancelled."""
        shown: Step | None = None
        while True:
            if self._live is not None:
                self._live.update(self._table(play), refresh=True)
            elif play.current is not shown and play.current is not None:
                shown = play.current
                self._console.print(f"{shown.name}: {shown.sentence}", highlight=False)
            await asyncio.sleep(_REFRESH_SECONDS)

    async def enter(self, step: Step, stop: asyncio.Event) -> None:
        """Wait for Enter, or for the end of the play."""
        self._waiting = True
        if self._live is None:
            self._console.print(f"{step.name} is done. Enter: the next step", highlight=False)
        loop = asyncio.get_running_loop()
        pressed = asyncio.Event()

        def read() -> None:
            sys.stdin.readline()
            pressed.set()

        loop.add_reader(sys.stdin, read)
        tasks = [asyncio.create_task(event.wait()) for event in (pressed, stop)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_reader(sys.stdin)
            self._waiting = False
            for task in tasks:
                task.cancel()

    def _table(self, play: Play) -> Group:
        result = play.result
        now = time.monotonic()
        recent = []
        for sample in reversed(result.history.samples):
            if sample.ended < now - 2 * _RECENT_SECONDS:
                break
            if sample.ended > now - _RECENT_SECONDS:
                recent.append(sample)
        table = Table.grid(padding=(0, 2))
        for service in SERVICES:
            servers = Counter(s.server for s in recent if s.service == service)
            total = servers.total()
            share = servers[service] / total if total else 0.0
            table.add_row(
                service,
                ProgressBar(total=1.0, completed=share, width=40),
                f"{share:4.0%} by its service, {1 - share if total else 0:4.0%} by the {MONOLITH}",
            )
        latency = Latency.of(recent)
        failed = sum(sample.problem is not None for sample in result.history.samples)
        step = play.current
        lines = [
            Text(
                f"{self._url}   {now - result.began:.0f} s, step {len(result.marks)}/{self._steps}"
            ),
            Text("" if step is None else f"{step.name}: {step.sentence}", style="bold"),
            Text("" if step is None else f"on AWS: {step.aws}", style="dim"),
        ]
        counts = (
            f"{len(recent) / _RECENT_SECONDS:.0f} requests/s, p50 {latency.p50:.1f} ms, "
            f"p99 {latency.p99:.1f} ms; {len(result.history.samples)} so far, {failed} failed; "
            f"{len(result.history.streams)} streams"
        )
        after = [Text(counts, style="red" if failed else "")]
        if self._waiting:
            after.append(Text("Enter: the next step", style="bold"))
        return Group(*lines, table, *after)


def can_press_enter(stdin: TextIO) -> bool:
    """Whether somebody, or a program through a pipe, can answer a question."""
    return stdin.isatty() or stat.S_ISFIFO(os.fstat(stdin.fileno()).st_mode)


def summary(result: Result) -> Iterator[str]:
    """The figures of a play."""
    seconds = result.ended - result.began
    count = len(result.history.samples)
    yield f"{count} requests in {seconds:.0f} s ({count / (seconds or 1):.0f} a second)"
    quiet, busy = between(result), during(result, result.marks)
    for name, latency in (("between steps", quiet), ("during steps", busy)):
        yield (
            f"{name}: p50 {latency.p50:.1f} ms, p95 {latency.p95:.1f} ms, p99 {latency.p99:.1f} ms "
            f"({latency.requests} requests)"
        )
    late = lateness(result.history.samples)
    if late > _TOO_LATE:
        yield (
            f"1 % of the requests were sent {late:.0f} ms late: this machine is too slow, or too "
            "busy, for that RATE"
        )
    if quiet.p99:
        yield f"p99 during steps is {busy.p99 / quiet.p99:.1f} times that between steps"
