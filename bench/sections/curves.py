"""Latency over load: the monolith and the services, both behind the gateway."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import takewhile
from typing import Final

import uvloop

from bench.board import Board, create_databases, running
from bench.content import SIZES, fill_board
from bench.effort import Effort
from bench.figures import Chart, Curve, Figure, Point, Section, at_least
from bench.load.audit import missing
from bench.load.mix import Mix
from bench.load.open_loop import Window, run
from laptop.postgres.throwaway import throwaway

RATES: Final = (250, 500, 1000, 1500, 2000, 3000)
_DEPLOYMENTS: Final = ("monolith", "microservices")
SLOWEST_MEDIAN: Final = 1.0
"""Seconds of median latency beyond which a deployment does not keep up: its queue only grows."""
_SHOWN: Final = 500

Windows = Mapping[str, Mapping[int, list[Window]]]
"""The windows of each deployment, by rate."""


def measure(effort: Effort) -> Section:
    """Load both deployments in turns, at each rate."""
    with throwaway() as postgres, ExitStack() as stack:
        boards: dict[str, Board] = {}
        mixes: dict[str, Mix] = {}
        for name in _DEPLOYMENTS:
            urls = create_databases(postgres, f"{name}_")
            mixes[name] = fill_board(urls).mix()
            boards[name] = stack.enter_context(running(name, urls, with_gateway=True))
        windows, wrong = uvloop.run(_measure(boards, mixes, effort))
    return Section(
        "Latency over load, through the gateway",
        "The mixed load (95 % reads, 5 % writes) on the monolith and on the services, each behind a"
        f" gateway and with {SIZES.posts:,} posts of its own, in turns at each rate,"
        f" {effort.seconds} s at a time. Arrivals are random and do not wait for responses, and a"
        " latency counts from the time at which the request was due, so queues show. All processes,"
        " PostgreSQL and the client share the machine's cores.",
        tuple(figures(windows)),
        (chart(windows),),
        tuple(wrong),
    )


async def _measure(
    boards: Mapping[str, Board], mixes: Mapping[str, Mix], effort: Effort
) -> tuple[dict[str, dict[int, list[Window]]], list[str]]:
    windows: dict[str, dict[int, list[Window]]] = {name: {} for name in boards}
    wrong: list[str] = []
    for name, board in boards.items():
        await run(board.port, mixes[name].everything(_SHOWN))
    for rate in RATES:
        asked = [name for name in boards if not is_saturated(windows[name])]
        before = {name: await asyncio.to_thread(boards[name].error_counts) for name in asked}
        for _ in range(effort.pairs):
            for name in asked:
                window = await run(boards[name].port, mixes[name].plan(rate, effort.seconds))
                windows[name].setdefault(rate, []).append(window)
        for name in asked:
            found = windows[name][rate]
            for window in found:
                wrong += [f"{name} at {rate}/s: {why}" for why in window.failures]
            if not any(window.failed for window in found):
                errors = await asyncio.to_thread(boards[name].errors, before[name])
                wrong += [f"{name} at {rate}/s, not seen by clients: {error}" for error in errors]
    for name, board in boards.items():
        lost = await missing(board.port, mixes[name].written)
        wrong += [f"{name}: {sentence}" for sentence in lost]
    return windows, wrong


def keeps_up(windows: Sequence[Window]) -> bool:
    """Whether a deployment served all requests of these windows, without a queue that grows."""
    return not any(window.failed or window.quantile(0.5) > SLOWEST_MEDIAN for window in windows)


def is_saturated(by_rate: Mapping[int, list[Window]]) -> bool:
    """Whether a deployment did not keep up with the last two rates: it is not asked for more."""
    last = list(by_rate.values())[-2:]
    return len(last) == 2 and not any(map(keeps_up, last))


def chart(windows: Windows) -> Chart:
    """The medians and p99 of both deployments."""
    return Chart(
        "Latency over load: p99, and the median (dashed)",
        "requests a second",
        "ms",
        tuple(
            Curve(
                f"{name}, {'median' if faint else 'p99'}",
                tuple(
                    Point(rate, tuple(window.quantile(part) * 1000 for window in found))
                    for rate, found in by_rate.items()
                    if all(window.latencies for window in found)
                ),
                faint,
            )
            for name, by_rate in windows.items()
            for part, faint in ((0.99, False), (0.5, True))
        ),
    )


def figures(windows: Windows) -> list[Figure]:
    """The latencies at a moderate rate, and the highest rate that was kept up with."""
    found = []
    for name, by_rate in windows.items():
        for part, what in ((0.5, "median"), (0.99, "p99")):
            values = tuple(window.quantile(part) * 1000 for window in by_rate.get(_SHOWN, []))
            if values:
                found.append(Figure(f"{name}: {what} at {_SHOWN}/s", values, "ms", digits=1))
        kept_up = takewhile(lambda item: keeps_up(item[1]), by_rate.items())
        found.append(
            Figure(
                f"{name}: highest of the rates with no refusal and a median under 1 s",
                (float(max((rate for rate, _ in kept_up), default=0)),),
                "/s",
                floor=at_least(_SHOWN),
                digits=0,
            )
        )
    return found
