"""What the gateway costs a cached read: CPU time of gateway and monolith, with and without it."""

from typing import Final

from bench.board import Board, create_databases, running
from bench.effort import Effort
from bench.figures import Figure, Section, at_most
from bench.sections.reads import ROUTES, check_size, fill_with_demo, response_size
from bench.tools.wrk import run_wrk
from laptop.postgres.throwaway import throwaway

_CONNECTIONS: Final = 32


def measure(effort: Effort) -> Section:
    """Measure each route in pairs."""
    figures = []
    with throwaway() as postgres:
        urls = create_databases(postgres)
        fill_with_demo(urls)
        with running("monolith", urls, with_gateway=True, with_logs=False) as board:
            direct = board.servers["monolith"].port
            for path in ROUTES:
                for port in (direct, board.port):
                    _cost(board, port, path, 1)
                added = []
                for _ in range(effort.pairs):
                    without = _cost(board, direct, path, effort.seconds)
                    added.append(_cost(board, board.port, path, effort.seconds) - without)
                figures.append(
                    Figure(
                        f"`{path}`, cached: CPU time that the gateway adds to a request",
                        tuple(each * 1e6 for each in added),
                        "µs",
                        floor=at_most(50),
                        goal=at_most(50),
                        digits=0,
                    )
                )
            wrong = board.errors()
    return Section(
        "Cached reads through the gateway",
        "The monolith behind the gateway as `make run` starts both, with access log and metrics,"
        f" loaded by `wrk` with {_CONNECTIONS} connections, {effort.seconds} s at a time, in turns"
        " directly and through the gateway: the difference of the CPU time of both processes.",
        tuple(figures),
        wrong=tuple(wrong),
    )


def _cost(board: Board, port: int, path: str, seconds: int) -> float:
    """The CPU seconds of all processes for a request."""
    url = f"http://127.0.0.1:{port}{path}"
    expected = response_size(url)
    pid = board.servers["monolith"].pid
    run = run_wrk(pid, url, seconds, _CONNECTIONS, cpu=lambda _: board.cpu_seconds())
    check_size(run, expected, url)
    return run.cpu_per_request
