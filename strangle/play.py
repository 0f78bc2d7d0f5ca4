"""One play: load on a board, steps one after another, then the audit."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from strangle.audit import Auditor, Check, failed_requests, stale_reads
from strangle.board import PlayedBoard
from strangle.errors import CannotPlayError
from strangle.history import History
from strangle.load.arrivals import Arrivals
from strangle.load.client import Client, RequestFailedError
from strangle.load.recorder import Recorder
from strangle.load.streams import StreamClient
from strangle.load.visitors import Visitors
from strangle.steps import Step

DURING = 1.0
"""Seconds after the end of a step's action that still count as the step."""

Between = Callable[[Step], Awaitable[None]]


@dataclass(frozen=True)
class Mark:
    """When a step began, and when its action had been done; seconds on the samples' clock."""

    step: Step
    began: float
    done: float


@dataclass
class Result:
    """A play: its records, when the load ran, its steps, and the audit, which is empty if the board
    could no longer be asked. `interrupted` says that it ended before its last step, `refused` which
    step the board refused, and why."""

    history: History
    began: float
    ended: float = 0.0
    marks: list[Mark] = field(default_factory=list)
    checks: tuple[Check, ...] = ()
    interrupted: bool = False
    refused: str | None = None

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)


class Play:
    """Plays steps on a board that runs, under a steady load.

    `result` can be read while it runs, to show what happens.
    """

    def __init__(
        self,
        board: PlayedBoard,
        steps: Sequence[Step],
        *,
        rate: float,
        streams: int,
        between: Between,
        seed: int = 1,
    ) -> None:
        """`rate` is the number of requests that arrive in a second; `between` returns when it is
        time for the next step, and is called after each."""
        self._board = board
        self._steps = steps
        self._rate = rate
        self._streams = streams
        self._between = between
        self._random = random.Random(seed)  # noqa: S311 - a load, not a secret
        self.result = Result(History(), time.monotonic())
        self.current: Step | None = None

    async def run(self, stop: asyncio.Event) -> Result:
        """Play until the last step, or until `stop` is set; then end the load and audit.

        A step that is refused ends the play, too, and its audit fails; likewise if the board does
        not answer the audit. Raises CannotPlayError if the visitors cannot sign in.
        """
        history = self.result.history
        client = Client(self._board.port)
        visitors = Visitors(Recorder(client, history), self._random)
        await visitors.arrive(self._board.grant_admin)
        threads = [*visitors.growing, visitors.moderated]
        following = [
            StreamClient(self._board.port, threads[number % len(threads)], history)
            for number in range(self._streams)
        ]
        streams = [asyncio.create_task(one.run()) for one in following]
        try:
            for one in following:
                async with asyncio.timeout(30.0):
                    await one.opened.wait()
            await self._play(visitors, stop)
            assert visitors.moderator is not None  # noqa: S101 - they have arrived
            auditor = Auditor(client, history, visitors.moderator.token)
            self.result.checks = (
                _steps_check(self.result),
                failed_requests(history),
                stale_reads(history),
                *await _stored_checks(auditor),
            )
        finally:
            for task in streams:
                task.cancel()
            await asyncio.gather(*streams, return_exceptions=True)
            client.close()
        return self.result

    async def _play(self, visitors: Visitors, stop: asyncio.Event) -> None:
        self.result.began = time.monotonic()
        arrivals = Arrivals(visitors, self._rate, self._random)
        load = asyncio.create_task(arrivals.run())
        playing = asyncio.create_task(self._play_steps())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({load, playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if load.done():
                load.result()
            self.result.interrupted = not playing.done()
            if playing.done():
                self._note_refusal(playing)
        finally:
            for task in (load, playing, stopped):
                task.cancel()
            await asyncio.gather(load, playing, stopped, return_exceptions=True)
            try:
                await arrivals.drain()
            finally:
                self.result.ended = time.monotonic()

    def _note_refusal(self, playing: asyncio.Task[None]) -> None:
        try:
            playing.result()
        except CannotPlayError as refused:
            step = self.current.name if self.current is not None else "the first step"
            self.result.refused = f"{step}: {refused}"

    async def _play_steps(self) -> None:
        for step in self._steps:
            self.current = step
            began = time.monotonic()
            await step.run(self._board)
            self.result.marks.append(Mark(step, began, time.monotonic()))
            await self._between(step)


async def _stored_checks(auditor: Auditor) -> tuple[Check, ...]:
    try:
        return await auditor.stored()
    except RequestFailedError as error:
        return (Check("the board answers after the play", "several requests", (str(error),)),)


def _steps_check(result: Result) -> Check:
    problems = () if result.refused is None else (result.refused,)
    return Check("every step was carried out", f"{len(result.marks)} steps", problems)
