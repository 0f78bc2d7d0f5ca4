"""Whether what a process uses stays the same over time, or grows: the slope of a line through the
measurements."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from strangle.audit import Check

MIB: Final = 1024 * 1024

SETTLING: Final = 1 / 3
"""The share of a run in which caches fill and connections open, which is not measured."""


@dataclass(frozen=True)
class Use:
    """What a process and its children used at a moment: bytes of memory that are only theirs, open
    files with sockets, and, if it is PostgreSQL, connections."""

    at: float
    memory: int
    files: int
    connections: int = 0


@dataclass(frozen=True)
class Drift:
    """A quantity of one process in a run: its median, and by how much it grew."""

    process: str
    what: str
    median: float
    grew: float
    allowed: float

    @property
    def check(self) -> Check:
        """Whether it is flat."""
        unit = MIB if self.what == "memory" else 1
        kind = " MiB" if self.what == "memory" else ""
        sentence = f"it grew by {self.grew / unit:.1f}{kind}, from about {self.median / unit:.1f}"
        problems = (sentence,) if self.grew > self.allowed else ()
        counted = f"{self.median / unit:.1f}{kind}, {self.grew / unit:+.1f}{kind}"
        return Check(f"{self.what} of {self.process} did not grow", counted, problems)


def drifts(uses: Mapping[str, Sequence[Use]]) -> list[Drift]:
    """How each quantity of each process changed after it had settled. Memory may grow by 5 % and
    2 MiB, since allocators are not exact; files and connections by 10 % and six, which come and go
    with requests: a pool that opens its five connections half-way raises the line by 7.5."""
    found: list[Drift] = []
    for process, measured in uses.items():
        settled = measured[round(len(measured) * SETTLING) :]
        times = [use.at for use in settled]
        quantities = {
            "memory": [use.memory for use in settled],
            "files": [use.files for use in settled],
            "connections": [use.connections for use in settled],
        }
        for what, values in quantities.items():
            if not any(values):
                continue
            median = statistics.median(values)
            allowed = median * 0.05 + 2 * MIB if what == "memory" else median * 0.1 + 6
            found.append(Drift(process, what, median, growth(times, values), allowed))
    return found


def growth(times: Sequence[float], values: Sequence[float]) -> float:
    """By how much a line through the measurements rises from the first to the last."""
    if len(times) < 2:
        return 0.0
    slope = statistics.linear_regression(times, values).slope
    return slope * (times[-1] - times[0])
