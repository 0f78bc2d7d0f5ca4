"""The read-only original in Node, whose three routes the board has too, beside the monolith.

It is measured only if `PEER_URL` names one that runs on this machine, with its own data. Its
process is not known, so the comparison is of requests per second, with one client process for both.
"""

import json
from typing import Final

from bench.board import create_databases, running
from bench.effort import Effort
from bench.figures import Figure, Section, at_least
from bench.sections.reads import ROUTES, check_size, fetch, fill_with_demo, response_size
from bench.tools.wrk import LoadRun, run_wrk
from laptop.postgres.throwaway import throwaway

_CONNECTIONS: Final = 32
_TITLE: Final = "The Node original"


def measure(effort: Effort) -> Section:
    """Measure each route in pairs, if there is a peer."""
    if effort.peer_url is None:
        return Section(_TITLE, "Not measured: `PEER_URL` did not name a running one.")
    figures = []
    with throwaway() as postgres:
        urls = create_databases(postgres)
        fill_with_demo(urls)
        with running("monolith", urls, with_logs=False) as board:
            server = board.servers["monolith"]
            for path in ROUTES:
                theirs, ours = f"{effort.peer_url.rstrip('/')}{path}", server.url(path)
                for url in (theirs, ours):
                    check_json(url)
                    _load(server.pid, url, 1)
                ratios, rates = [], []
                for _ in range(effort.pairs):
                    other = _load(server.pid, theirs, effort.seconds)
                    rates.append(_load(server.pid, ours, effort.seconds).rate)
                    ratios.append(rates[-1] / other.rate)
                figures += [
                    Figure(
                        f"`{path}` : the original",
                        tuple(ratios),
                        floor=at_least(1.0),
                        goal=at_least(1.3),
                    ),
                    Figure(f"`{path}`", tuple(rates), "requests/s", digits=0),
                ]
            wrong = board.errors()
    return Section(
        _TITLE,
        "The monolith with the demo's data and the original with its own, loaded by `wrk` with"
        f" {_CONNECTIONS} connections, {effort.seconds} s at a time, in turns:"
        " requests per second.",
        tuple(figures),
        wrong=tuple(wrong),
    )


def check_json(url: str) -> None:
    """Raises `RuntimeError` unless the URL sends JSON that is not empty."""
    status, _, body = fetch(url, None)
    try:
        found = json.loads(body) if status == 200 else None
    except ValueError:
        found = None
    if not found:
        raise RuntimeError(f"{url}: {status}, and no content in JSON")


def _load(pid: int, url: str, seconds: int) -> LoadRun:
    expected = response_size(url)
    run = run_wrk(pid, url, seconds, _CONNECTIONS)
    check_size(run, expected, url)
    return run
