"""What is broken, one fault after another, and what each leaves working."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from chaos.board import POSTGRESQL, PROCESSES, BrokenBoard
from chaos.clocks import CACHED_SECONDS
from chaos.proxy import Mode
from strangle.history import Sample
from topology.contexts import BY_NAME
from topology.deployments import GATEWAY, PAGE, SERVICES, calls_of

LASTING_SECONDS: Final = 3.0
"""For how long a fault lasts that does not end by itself."""

Act = Callable[[BrokenBoard], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """`strike` breaks the parts in `broken`: processes, or the database. With `calls`, only what
    other services call is broken, not what clients do; with `writes`, only writing. A fault with a
    `mend` lasts for some seconds and ends with it; any other ends by itself. `proxy` is the called
    service whose proxy does the harm. The board must run `copies` of each service, `clocks` says
    whether their clocks must be adjustable. With `harmless`, no request may fail, and `strike`
    returns when all is done."""

    name: str
    broken: frozenset[str]
    strike: Act
    mend: Act | None = None
    calls: bool = False
    writes: bool = False
    proxy: str | None = None
    copies: int = 1
    clocks: bool = False
    harmless: bool = False
    short: bool = False

    def concerns(self, sample: Sample) -> bool:
        """Whether a request needs a broken part."""
        reads = sample.what.startswith("GET ")
        if GATEWAY in self.broken:
            return True
        if POSTGRESQL in self.broken:
            return not (self.writes and reads)
        if sample.service in self.broken and not self.calls:
            return True
        called = {*calls_of(sample.service)}
        if reads and sample.service != PAGE:
            # Others need no session, and ask no other service.
            called &= {"users"} if sample.what in _WITH_A_SESSION else set()
        return bool(called & self.broken)


_CALLED_UNDER_LOAD: Final = BY_NAME["posts"].calls
"""The called services that the load makes others call. Only reports call posts."""

_WITH_A_SESSION: Final = {f"GET {context}" for context in BY_NAME}


def everything() -> list[Fault]:
    """All faults. The pairs are in an order in which the same part rarely ends twice in a row."""
    pairs = [_kill(*pair) for pair in itertools.combinations((*PROCESSES, POSTGRESQL), 2)]
    random.Random(2).shuffle(pairs)  # noqa: S311 - always the same order
    kills = [_kill(name) for name in (*PROCESSES, POSTGRESQL)]
    return [
        *kills,
        *_database_faults(),
        *(_call_fault(called, mode) for called in _CALLED_UNDER_LOAD for mode in _MODES),
        *(_terminate(name) for name in SERVICES),
        *pairs,
        _rolling_restart(),
        *(_clock(names, hours) for hours in (1, -1) for names in (*zip(SERVICES), SERVICES)),
    ]


def _kill(*names: str) -> Fault:
    async def strike(board: BrokenBoard) -> None:
        await board.kill(names)

    return Fault(
        f"kill -9 of {' and '.join(names)}", frozenset(names), strike, short=names in _SHORT_KILLS
    )


_SHORT_KILLS: Final = {("users",), ("posts",), (POSTGRESQL,)}


def _terminate(name: str) -> Fault:
    async def strike(board: BrokenBoard) -> None:
        await board.terminate(name)

    return Fault(
        f"SIGTERM of {name}, streams open", frozenset([name]), strike, short=name == "posts"
    )


def _rolling_restart() -> Fault:
    async def strike(board: BrokenBoard) -> None:
        for name in SERVICES:
            await board.restart(name)

    return Fault(
        "rolling restart of all, two of each",
        frozenset(SERVICES),
        strike,
        copies=2,
        harmless=True,
    )


def _clock(names: tuple[str, ...], hours: int) -> Fault:
    async def strike(board: BrokenBoard) -> None:
        await _set_clocks(board, names, hours * 3600)

    async def mend(board: BrokenBoard) -> None:
        await _set_clocks(board, names, 0)

    return Fault(
        f"clock of {names[0] if len(names) == 1 else 'all services'}: {hours:+d} h, and right",
        frozenset(names),
        strike,
        mend,
        clocks=True,
        harmless=True,
    )


async def _set_clocks(board: BrokenBoard, names: tuple[str, ...], seconds: int) -> None:
    assert board.clocks is not None  # noqa: S101 - the fault says that it needs them
    board.clocks.set(names, seconds)
    await asyncio.sleep(2 * CACHED_SECONDS)


def _database_faults() -> list[Fault]:
    async def restart(board: BrokenBoard) -> None:
        await board.database.server.restart()

    async def pause(board: BrokenBoard) -> None:
        await board.database.server.pause()

    async def go_on(board: BrokenBoard) -> None:
        await board.database.server.go_on()

    async def refuse(board: BrokenBoard) -> None:
        await board.database.refuse_connections()

    async def accept(board: BrokenBoard) -> None:
        await board.database.accept_connections()

    async def fill(board: BrokenBoard) -> None:
        await board.database.fill_disk()

    async def clear(board: BrokenBoard) -> None:
        await board.database.clear_disk()

    broken = frozenset([POSTGRESQL])
    return [
        Fault("PostgreSQL restarted", broken, restart),
        Fault("PostgreSQL paused", broken, pause, go_on, short=True),
        Fault("PostgreSQL out of connections", broken, refuse, accept),
        Fault("PostgreSQL's disk full", broken, fill, clear, writes=True, short=True),
    ]


_MODES: Final = {
    Mode.SLOW: "answers calls slowly",
    Mode.HANG: "does not answer calls",
    Mode.RESET: "resets calls",
    Mode.GARBAGE: "answers calls with garbage",
}


def _call_fault(called: str, mode: Mode) -> Fault:
    async def strike(board: BrokenBoard) -> None:
        board.proxies[called].set(mode)

    async def mend(board: BrokenBoard) -> None:
        board.proxies[called].set(Mode.NONE)

    return Fault(
        f"{called} {_MODES[mode]}",
        frozenset([called]),
        strike,
        mend,
        calls=True,
        proxy=called,
        short=called == "users" and mode is Mode.HANG,
    )
