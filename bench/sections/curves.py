"""Latency over load: the monolith and the services, both behind the gateway."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

import uvloop

from bench.board import Board, create_databases, running
from bench.content import SIZES, fill_board
from bench.effort import Effort
from bench.figures import Chart, Curve, Figure, Point, Section
from bench.load.audit import missing
from bench.load.mix import Mix
from bench.load.open_loop import Window, run
from laptop.postgres.throwaway import throwaway

RATES: Final = (100, 250, 500, 1000, 1500, 2000, 2500, 3000)
_DEPLOYMENTS: Final = ("monolith", "microservices")
_SATURATED: Final = 1.0
"""Seconds of median latency beyond which a deployment is not asked for more: its queue only
grows."""
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
        wrong += [error for board in boards.values() for error in board.errors()]
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
    for name, board in boards.items():
        await run(board.port, mixes[name].everything(_SHOWN))
    saturated: set[str] = set()
    for rate in RATES:
        for _ in range(effort.pairs):
            for name, board in boards.items():
                if name not in saturated:
                    window = await run(board.port, mixes[name].plan(rate, effort.seconds))
                    windows[name].setdefault(rate, []).append(window)
        saturated |= {
            name for name in boards if rate in windows[name] and is_saturated(windows[name][rate])
        }
    wrong = [
        f"{name}: {sentence}"
        for name, board in boards.items()
        for sentence in [
            *(f"at {rate}/s: {why}" for rate, why in failures(windows[name])),
            *await missing(board.port, mixes[name].written),
        ]
    ]
    return windows, wrong


def is_saturated(windows: list[Window]) -> bool:
    """Whether a deployment cannot keep up with the rate of these windows."""
    return min(window.quantile(0.5) for window in windows) > _SATURATED


def failures(windows: Mapping[int, list[Window]]) -> list[tuple[int, str]]:
    """The failures of requests at rates that a deployment can keep up with. Beyond them, a server
    may refuse what it cannot do in time."""
    return [
        (rate, f"{count} requests failed: {why}")
        for rate, found in windows.items()
        if not is_saturated(found)
        for window in found
        for why, count in window.failures.items()
    ]


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
        kept_up = [
            rate
            for rate, each in by_rate.items()
            if not any(window.failed for window in each) and not is_saturated(each)
        ]
        found.append(
            Figure(
                f"{name}: highest of the rates with no error and a median under 1 s",
                (float(max(kept_up, default=0)),),
                "/s",
                digits=0,
            )
        )
    return found
