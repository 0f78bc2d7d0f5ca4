"""The highest rate of the mixed load at which the monolith answers correctly and quickly."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import uvloop

from bench.board import Board, create_databases, running
from bench.content import SIZES, Content, fill_board
from bench.effort import Effort
from bench.figures import Figure, Section, at_least, at_most
from bench.load.audit import missing
from bench.load.mix import Mix
from bench.load.open_loop import Window, quantile, run
from laptop.postgres.throwaway import throwaway

SLOWEST: Final = 0.05
"""The latency in seconds under which 99 of 100 requests must be."""
LADDER: Final = (1000, 1500, 2000, 2500, 3000, 3500, 4000, 5000, 6000, 8000)
"""The rates that are tried, in requests a second, upwards until one does not hold."""
GOAL: Final = 3000

_TRIES: Final = 3
_PART_OF_CACHED: Final = ("hit", "joined")

Probe = Callable[[int], Awaitable[Window]]
"""Sends the load at a rate for a while."""


@dataclass
class Climb:
    """The windows of each rate that was tried, and the highest rate that held; 0 if none did."""

    windows: dict[int, list[Window]] = field(default_factory=dict)
    highest: int = 0


def holds(window: Window) -> bool:
    """Whether every request succeeded, and 99 of 100 were quick enough."""
    return not window.failed and window.quantile(0.99) < SLOWEST


async def climb(probe: Probe, ladder: Sequence[int] = LADDER) -> Climb:
    """Try rates upwards. A rate holds if two windows of at most three do: one alone may be
    disturbed by another program on the machine."""
    found = Climb()
    for rate in ladder:
        windows = found.windows.setdefault(rate, [])
        while len(windows) < _TRIES and not _decided(windows):
            windows.append(await probe(rate))
        if sum(map(holds, windows)) < 2:
            break
        found.highest = rate
    return found


def _decided(windows: Sequence[Window]) -> bool:
    held = sum(map(holds, windows))
    return held >= 2 or len(windows) - held >= 2


def cache_share(before: dict[str, float], after: dict[str, float]) -> float:
    """The share of cacheable responses that came from the cache, between two states of its
    counters."""
    counted = {name: after[name] - before.get(name, 0.0) for name in after}
    cached = sum(counted.get(name, 0.0) for name in _PART_OF_CACHED)
    total = sum(counted.values())
    return cached / total if total else 0.0


def measure(effort: Effort) -> Section:
    """Find the highest rate, and the cache's hits at the rate that is the goal."""
    with throwaway() as postgres:
        urls = create_databases(postgres)
        content = fill_board(urls)
        with running("monolith", urls) as board:
            found = uvloop.run(_measure(board, content, effort))
    return Section(
        "Mixed load of the monolith",
        "95 % reads (80 % thread pages, 15 % lists of threads, 5 % users; threads by Zipf's law),"
        f" 5 % writes, open loop with random arrivals, {_seconds(effort)} s a window, latency from"
        f" the time at which a request was due. {SIZES.posts:,} posts in {SIZES.threads:,} threads;"
        " metrics and log on, tracing off; monolith, PostgreSQL and client share the machine's"
        " cores. A rate holds if no request fails and p99 is under 50 ms, in two windows of three."
        " The cache is filled before."
        " Each acknowledged write is read again at the end.",
        found.figures,
        wrong=tuple(found.wrong),
    )


@dataclass
class _Found:
    figures: tuple[Figure, ...]
    wrong: list[str]


async def _measure(board: Board, content: Content, effort: Effort) -> _Found:
    mix = content.mix()
    shares: dict[int, list[float]] = {}
    wrong: list[str] = []

    async def probe(rate: int) -> Window:
        errors = await asyncio.to_thread(board.error_counts)
        before = await asyncio.to_thread(_answers, board)
        window = await run(board.port, mix.plan(rate, _seconds(effort)))
        after = await asyncio.to_thread(_answers, board)
        shares.setdefault(rate, []).append(cache_share(before, after))
        wrong.extend(f"at {rate}/s: {count} times {why}" for why, count in window.failures.items())
        if not window.failed:
            # Beyond the highest rate, servers may refuse requests; below, nothing may fail.
            wrong.extend(await asyncio.to_thread(board.errors, errors))
        return window

    await run(board.port, mix.everything(LADDER[0]))
    found = await climb(probe)
    at = found.highest or LADDER[0]
    wrong += await missing(board.port, mix.written)
    return _Found(_figures(found, at, shares, mix), wrong)


def _figures(found: Climb, at: int, shares: dict[int, list[float]], mix: Mix) -> tuple[Figure, ...]:
    windows = found.windows[at]
    # A machine that does not reach the goal's rate shows its hits at the highest that it does.
    asked = GOAL if GOAL in shares else at
    latest = [window.lateness for window in windows]
    return (
        Figure(
            "highest rate with p99 under 50 ms and no error",
            (float(found.highest),),
            "/s",
            floor=at_least(1000),
            goal=at_least(GOAL),
            digits=0,
        ),
        Figure(f"p99 at {at:,}/s", tuple(w.quantile(0.99) * 1000 for w in windows), "ms", digits=1),
        Figure(
            f"median at {at:,}/s", tuple(w.quantile(0.5) * 1000 for w in windows), "ms", digits=1
        ),
        Figure(
            f"cacheable reads from the cache at {asked:,}/s",
            tuple(share * 100 for share in shares[asked]),
            "%",
            floor=at_least(75),
            goal=at_least(90),
            digits=0,
        ),
        Figure("acknowledged writes, all read again", (float(len(mix.written)),), digits=0),
        Figure(
            "the client: CPU time of a request",
            tuple(window.client_cpu / window.sent * 1e6 for window in windows),
            "µs",
            digits=0,
        ),
        Figure(
            f"the client: share of a core at {at:,}/s",
            tuple(window.client_cpu / window.seconds * 100 for window in windows),
            "%",
            floor=at_most(70),
            digits=0,
        ),
        Figure(
            f"the client: p99 of how late it sent at {at:,}/s",
            tuple(quantile(late, 0.99) * 1000 for late in latest),
            "ms",
            digits=1,
        ),
    )


def _seconds(effort: Effort) -> int:
    return 2 * effort.seconds


def _answers(board: Board) -> dict[str, float]:
    """The monolith's counter of cacheable responses, by where they came from."""
    return {
        labels["from"]: value
        for name, labels, value in board.servers["monolith"].samples()
        if name == "board_cache_answers_total"
    }
