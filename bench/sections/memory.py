"""How much the monolith's memory grows with the number of requests that it has answered."""

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.board import Board, create_databases, running
from bench.content import Content, fill_board
from bench.effort import Effort
from bench.figures import Figure, Section, at_most
from bench.programs import memory_mib
from bench.tools.h2load import send_exactly
from laptop.postgres.throwaway import throwaway

_FEW: Final = 10_000
_PATHS: Final = 500
"""Each client of h2load begins with the first path, so `_FEW` requests read all of them."""
_CONNECTIONS: Final = 16


@dataclass(frozen=True)
class _Run:
    """A monolith with this size of the cache, which answers so many requests."""

    name: str
    cache: str
    many: int


_RUNS: Final = (
    _Run("with the cache", str(32 * 1024 * 1024), 1_000_000),
    _Run("without the cache", "0", 60_000),
)


def measure(effort: Effort) -> Section:  # noqa: ARG001 - one process can be filled only once
    """Measure a process with the cache and one without."""
    figures: list[Figure] = []
    wrong: list[str] = []
    with throwaway() as postgres:
        urls = create_databases(postgres)
        content = fill_board(urls)
        for run in _RUNS:
            settings = {"RESPONSE_CACHE_BYTES": run.cache}
            with running("monolith", urls, with_logs=False, settings=settings) as board:
                figures.append(_growth(board, content, run))
                wrong += board.errors()
    return Section(
        "Memory",
        f"The monolith's resident memory after many requests, divided by that after {_FEW:,}:"
        f" thread pages, lists of threads and users, {_PATHS:,} different paths, over and over,"
        f" sent by `h2load` on {_CONNECTIONS} connections.",
        tuple(figures),
        wrong=tuple(wrong),
    )


def _growth(board: Board, content: Content, run: _Run) -> Figure:
    pid = board.servers["monolith"].pid
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        uris = Path(folder) / "uris"
        uris.write_text(
            "".join(f"http://127.0.0.1:{board.port}{path}\n" for path in paths(content))
        )
        send_exactly(_FEW, uris, _CONNECTIONS)
        before = memory_mib(pid)
        send_exactly(run.many - _FEW, uris, _CONNECTIONS)
        after = memory_mib(pid)
    return Figure(
        f"memory {run.name}, after {run.many:,} requests ({after:.0f} MiB) : after {_FEW:,}",
        (after / before,),
        floor=at_most(1.1),
        goal=at_most(1.1),
    )


def paths(content: Content) -> Sequence[str]:
    """What is read, in the proportions of the mixed load, without its writes."""
    chosen = random.Random(0)  # noqa: S311 - no secret
    threads = [f"/api/posts/in-thread/{thread}" for thread in content.threads]
    users = [f"/api/users/{user}" for user in content.users]
    kinds = chosen.choices(("thread", "list", "user"), (80, 15, 5), k=_PATHS)
    return [
        chosen.choice(threads) if kind == "thread"
        else chosen.choice(users) if kind == "user"
        else "/api/threads"
        for kind in kinds
    ]  # fmt: skip
