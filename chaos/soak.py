"""`make soak`: the services under half of their highest rate for a long time. What their processes
use must not grow."""

import asyncio
import csv
import os
import random
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]  # it ships no types

from chaos.crowd import Crowd, crowd
from chaos.drift import Use, drifts
from laptop.postgres import postmaster_file
from laptop.run import embedded
from strangle.audit import Auditor, Check, sentences, stale_reads
from strangle.board import PlayedBoard, running_board
from strangle.errors import CannotPlayError
from strangle.load import accounts
from strangle.load.arrivals import Arrivals
from strangle.load.garbage import no_collections
from topology.deployments import GATEWAY, SERVICES, module

_PROGRAMS: Final = {module(name): name for name in SERVICES} | {GATEWAY: GATEWAY}
_POSTGRESQL: Final = "PostgreSQL"
_WORKERS: Final = 16
_RAMP_SECONDS: Final = 15.0
_EVERY_SECONDS: Final = 2.0

# Full before the measuring begins, so that its filling is not taken for a leak.
_VARIABLES: Final = {"RESPONSE_CACHE_BYTES": str(4 * 1024 * 1024)}


@dataclass(frozen=True)
class Settings:
    """`minutes` is how long the load lasts; `rate` its requests in a second, or None for half of
    the highest."""

    minutes: float = 15.0
    rate: float | None = None
    data_folder: Path = Path(".data/soak")
    report: Path = Path("build/soak.txt")


@dataclass
class Measurements:
    """What each process used, by its name, and `requests`: how many the load had open at once, at
    most, before each round of measurements."""

    uses: dict[str, list[Use]] = field(default_factory=dict)
    requests: list[int] = field(default_factory=list)

    def write(self, file: Path) -> None:
        """Write them as CSV: a line for each process in each round."""
        with file.open("w", encoding="utf-8", newline="") as opened:
            rows = csv.writer(opened)
            rows.writerow(("seconds", "process", "memory", "files", "connections", "requests"))
            began = min((use.at for uses in self.uses.values() for use in uses), default=0.0)
            for process, uses in self.uses.items():
                # A process that started late lacks the first rounds.
                for use, requests in zip(uses, self.requests[-len(uses) :], strict=True):
                    seconds = round(use.at - began, 1)
                    rows.writerow(
                        (seconds, process, use.memory, use.files, use.connections, requests)
                    )


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings. An empty variable counts as unset. Raises CannotPlayError."""
    minutes = environment.get("MINUTES") or f"{Settings.minutes:g}"
    if not (minutes.isascii() and minutes.isdigit() and 1 <= int(minutes) <= 1440):
        raise CannotPlayError(f"MINUTES={minutes}: it must be a whole number from 1 to 1440")
    rate = environment.get("RATE") or ""
    if rate and not (rate.isascii() and rate.isdigit() and 10 <= int(rate) <= 1000):
        raise CannotPlayError(f"RATE={rate}: it must be a whole number from 10 to 1000")
    return Settings(
        float(minutes),
        float(rate) if rate else None,
        Path(environment.get("DATA_DIR") or Settings.data_folder).absolute(),
        Path(environment.get("REPORT") or Settings.report).absolute(),
    )


def main() -> int:
    """Soak. Returns 0 if everything stayed flat and nothing was lost, 1 if not, 2 for invalid
    settings, 130 after Ctrl-C."""
    try:
        chosen = read(os.environ)
    except CannotPlayError as error:
        sys.stderr.write(f"make soak: {error}\n")
        return 2
    try:
        chosen.report.parent.mkdir(parents=True, exist_ok=True)
        with no_collections():
            found = asyncio.run(_soak(chosen))
    except CannotPlayError as error:
        sys.stderr.write(f"make soak: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stdout.write("Interrupted. Nothing runs any more.\n")
        return 130
    lines = [*sentences(found)]
    chosen.report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join([*lines, f"The report: {chosen.report}", ""]))
    return 0 if all(check.passed for check in found) else 1


async def _soak(chosen: Settings) -> tuple[Check, ...]:
    _say(f"Starting the services in {chosen.data_folder} ...")
    async with (
        running_board(chosen.data_folder, 0, "microservices", _VARIABLES) as board,
        crowd(board.port, board.grant_admin) as people,
    ):
        await _hash_at_once(people)
        rate = chosen.rate if chosen.rate is not None else await _highest_rate(people) / 2
        _say(f"{rate:.0f} requests a second for {chosen.minutes:g} minutes ...")
        arrivals = Arrivals(people.visitors, rate, random.Random(3))  # noqa: S311 - a load
        load = asyncio.create_task(arrivals.run())
        first = len(people.history.samples)
        try:
            measured = await _measure(board, arrivals, chosen.minutes * 60)
        finally:
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)
        await arrivals.drain()
        measured.write(chosen.report.with_suffix(".csv"))
        samples = people.history.samples[first:]
        failed = tuple(f"{s.what}: {s.problem}" for s in samples if s.problem is not None)
        auditor = Auditor(people.client, people.history, people.moderator_token)
        return (
            *(drift.check for drift in drifts(measured.uses)),
            Check("no request failed", f"{len(samples)} requests", failed),
            *await auditor.stored(),
            stale_reads(people.history),
        )


async def _hash_at_once(people: Crowd) -> None:
    """Let every thread that hashes passwords work: from its first hash on, a thread keeps 19 MiB,
    and the second thread might not be needed before the middle of the run."""
    now = time.monotonic()
    everybody = people.visitors.writers
    await asyncio.gather(*(accounts.sign_in(people.recorder, now, one) for one in everybody))


async def _highest_rate(people: Crowd) -> float:
    """Requests a second if visitors do not pause."""
    _say(f"Looking for the highest rate for {_RAMP_SECONDS:g} s ...")
    first, began = len(people.history.samples), time.monotonic()

    async def hurry() -> None:
        while time.monotonic() - began < _RAMP_SECONDS:
            await people.visitors.act(time.monotonic())

    await asyncio.gather(*(hurry() for _ in range(_WORKERS)))
    return (len(people.history.samples) - first) / (time.monotonic() - began)


async def _measure(board: PlayedBoard, arrivals: Arrivals, seconds: float) -> Measurements:
    """What each process uses, every two seconds."""
    measured = Measurements()
    server, _ = embedded(board.data_folder)
    postmaster = postmaster_file.process_id(server.cluster)
    ended = time.monotonic() + seconds
    while time.monotonic() < ended:
        roots = {
            name: child
            for child in psutil.Process(board.run).children()
            if (name := _name_of(child)) is not None
        }
        if postmaster is not None:
            roots[_POSTGRESQL] = psutil.Process(postmaster)
        for name, root in roots.items():
            use = await asyncio.to_thread(_use, name, root)
            measured.uses.setdefault(name, []).append(use)
        measured.requests.append(arrivals.most_at_once())
        await asyncio.sleep(_EVERY_SECONDS)
    return measured


def _name_of(process: psutil.Process) -> str | None:
    with suppress(psutil.Error, IndexError):
        return _PROGRAMS.get(process.cmdline()[2])
    return None


def _use(name: str, root: psutil.Process) -> Use:
    memory = files = 0
    family = [root, *root.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            memory += process.memory_full_info().uss
            files += process.num_fds()
    # Each connection of PostgreSQL is a process.
    connections = len(family) if name == _POSTGRESQL else 0
    return Use(time.monotonic(), memory, files, connections)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
