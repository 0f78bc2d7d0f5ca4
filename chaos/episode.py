"""One fault after another on a board under load, each with an audit."""

import asyncio
import random
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from chaos.board import BrokenBoard
from chaos.crowd import Crowd, crowd
from chaos.faults import LASTING_SECONDS, Fault
from chaos.figures import Figures, checks, measure, times
from laptop.processes.supervised import MOST_RESTARTS, RESTART_WINDOW
from strangle.audit import Auditor, Check, stale_reads
from strangle.errors import CannotPlayError
from strangle.load.arrivals import Arrivals
from strangle.load.client import RequestFailedError
from topology.contexts import CONTEXTS
from topology.deployments import SERVICES

_BEFORE: Final = 1.0
_AFTER: Final = 1.0
_POLL: Final = 0.05
_IN_FLIGHT_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Episode:
    """A fault, what it did, and what was found afterwards. `timed` are the checks of times."""

    fault: Fault
    figures: Figures
    found: tuple[Check, ...]
    timed: tuple[Check, ...]

    def passed(self, *, with_times: bool) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in (*self.found, *(self.timed if with_times else ())))


class Stage:
    """A board with its visitors, on which episodes are played one after another."""

    def __init__(self, board: BrokenBoard, people: Crowd, rate: float) -> None:
        self.history = people.history
        self._board = board
        self._people = people
        self._visitors = people.visitors
        self._rate = rate
        self._struck: defaultdict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=MOST_RESTARTS)
        )
        self._random = random.Random(3)  # noqa: S311 - a load, not a secret

    async def play(self, fault: Fault) -> Episode:
        """Strike under load, wait until the board serves everything again, end the load, and
        audit. Raises CannotPlayError if the board does not recover."""
        await self._spare(fault)
        harmed = 0 if fault.proxy is None else self._board.proxies[fault.proxy].harmed
        first = len(self.history.samples)
        arrivals = Arrivals(self._visitors, self._rate, self._random)
        load = asyncio.create_task(arrivals.run())
        try:
            await asyncio.sleep(_BEFORE)
            await self._board.find(fault.broken)
            await self._until_in_flight(fault)
            began = time.monotonic()
            await fault.strike(self._board)
            for part in _ended_by(fault):
                self._struck[part].append(time.monotonic())
            if fault.mend is not None:
                try:
                    await asyncio.sleep(LASTING_SECONDS)
                finally:
                    await fault.mend(self._board)
            ended = time.monotonic() if fault.mend is not None or fault.harmless else began
            await self._until_well(fault)
            await asyncio.sleep(_AFTER)
        finally:
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)
        await arrivals.drain()
        figures = measure(self.history.samples[first:], fault.concerns, began, ended)
        met = await self._audit(fault, harmed)
        alone = len(fault.broken) == 1
        return Episode(
            fault,
            figures,
            (*checks(figures, alone=alone, harmless=fault.harmless), *met),
            times(figures, alone=alone),
        )

    async def _spare(self, fault: Fault) -> None:
        """Wait before a part would end for the sixth time within a minute, after which the run on
        this machine gives up."""
        for part in _ended_by(fault):
            ends = self._struck[part]
            if len(ends) == MOST_RESTARTS:
                await asyncio.sleep(ends[0] + RESTART_WINDOW + 1 - time.monotonic())

    async def _audit(self, fault: Fault, harmed: int) -> tuple[Check, ...]:
        found: list[Check] = []
        if fault.proxy is not None:
            count = self._board.proxies[fault.proxy].harmed - harmed
            problems = () if count else ("no call met the fault: it does not count",)
            found.append(Check("the proxy met calls", f"{count} calls", problems))
        await self._repeat()
        for stream in self.history.streams:
            # A stream breaks off when its server does; what counts is that no event is missing.
            stream.problems.clear()
        auditor = Auditor(self._people.client, self.history, self._people.moderator_token)
        try:
            found += [*await auditor.stored(), stale_reads(self.history)]
        except RequestFailedError as error:
            found.append(Check("the board answers the audit", "several requests", (str(error),)))
        return tuple(found)

    async def _repeat(self) -> None:
        """Send what was not acknowledged again until it is."""
        deadline = time.monotonic() + self._board.patience
        while await self._visitors.repeat_unanswered():
            if time.monotonic() > deadline:
                raise CannotPlayError("a post that was sent again was not acknowledged")

    async def _until_in_flight(self, fault: Fault) -> None:
        """Wait until a request is in flight at a part that is about to break."""
        services = [name for name in SERVICES if name in fault.broken and not fault.calls]
        deadline = time.monotonic() + _IN_FLIGHT_SECONDS
        while time.monotonic() < deadline:
            counted = self._people.recorder.in_flight
            if any(counted[name] for name in services or SERVICES):
                return
            await asyncio.sleep(0.001)

    async def _until_well(self, fault: Fault) -> None:
        deadline = time.monotonic() + self._board.patience
        while not await self._is_well():
            if time.monotonic() > deadline:
                raise CannotPlayError(f"{fault.name}: the board did not recover")
            await asyncio.sleep(_POLL)

    async def _is_well(self) -> bool:
        """Whether every context answers a read with a session, and a post can be written."""
        token = self._people.moderator_token
        try:
            for path in ("/", *(context.open_path for context in CONTEXTS)):
                if (await self._people.client.send("GET", path, token=token)).status != 200:
                    return False
        except RequestFailedError:
            return False
        before = len(self.history.posts)
        await self._visitors.write(time.monotonic())
        return len(self.history.posts) > before


def _ended_by(fault: Fault) -> Collection[str]:
    """The parts that the fault ends, so that they start again."""
    return () if fault.mend is not None or fault.harmless else fault.broken


@asynccontextmanager
async def stage(board: BrokenBoard, rate: float) -> AsyncIterator[Stage]:
    """The board with visitors and open event streams. Raises CannotPlayError if they cannot sign
    in."""
    async with crowd(board.port, board.grant_admin) as people:
        yield Stage(board, people, rate)
