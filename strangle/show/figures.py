"""Figures from a play's records: which server answered, how fast, and in which second."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from strangle.audit import Check
from strangle.history import Sample
from strangle.play import DURING, Mark, Result

MOST_TIMES: Final = 2.0
"""How many times the p99 between steps that during steps may be."""

ALWAYS_ALLOWED: Final = 50.0
"""Milliseconds that the p99 during steps may always be, however fast the board is between them."""


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that a share `part` of the values does not exceed (nearest rank); 0
    without values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def latencies(samples: Iterable[Sample]) -> list[float]:
    """Milliseconds from when each request was due until its response was complete."""
    return [1000 * (sample.ended - sample.due) for sample in samples]


def lateness(samples: Iterable[Sample]) -> float:
    """Milliseconds by which 1 % of the requests were sent after they were due, or more: how much
    too slow the machine was for the load itself."""
    return percentile([1000 * (sample.sent - sample.due) for sample in samples], 0.99)


@dataclass(frozen=True)
class Latency:
    """Percentiles in milliseconds, and the number of requests."""

    requests: int
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> "Latency":
        """The percentiles of some requests."""
        found = latencies(samples)
        return cls(len(found), *(percentile(found, part) for part in (0.5, 0.95, 0.99)))


def is_during(mark: Mark, sample: Sample) -> bool:
    """Whether a request was due while a step was being carried out, or directly afterwards."""
    return mark.began <= sample.due <= mark.done + DURING


def during(result: Result, marks: Sequence[Mark]) -> Latency:
    """The percentiles of all requests during these steps."""
    samples = result.history.samples
    return Latency.of(s for s in samples if any(is_during(m, s) for m in marks))


def between(result: Result) -> Latency:
    """The percentiles of all requests between steps."""
    samples = result.history.samples
    return Latency.of(s for s in samples if not any(is_during(m, s) for m in result.marks))


def step_latency(result: Result) -> Check:
    """Whether the board was fast enough during the steps together, of which the p99 of each kind is
    counted. One step is too short for a p99: a second has a few hundred requests, and a pause of
    the machine makes a dozen of them late. One that is slow as a whole still shows."""
    limit = max(MOST_TIMES * between(result).p99, ALWAYS_ALLOWED)
    marks = [mark for mark in result.marks if mark.step.kind]
    p99 = during(result, marks).p99
    kinds = ", ".join(
        f"{kind} {during(result, [mark for mark in marks if mark.step.kind == kind]).p99:.1f} ms"
        for kind in dict.fromkeys(mark.step.kind for mark in marks)
    )
    figures = f"{p99:.1f} ms ({kinds})" if marks else "no step"
    slow = p99 > limit
    return Check(
        f"p99 during steps is at most {MOST_TIMES:g} times that between steps, or "
        f"{ALWAYS_ALLOWED:g} ms",
        f"{figures}; at most {limit:.1f} ms",
        (f"during steps: {p99:.1f} ms",) if slow else (),
    )


def answered(samples: Iterable[Sample], began: float) -> dict[str, dict[int, Counter[str]]]:
    """The number of requests that each server answered, by service and by second."""
    found: dict[str, dict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for sample in samples:
        who = "failed" if sample.problem else sample.server or "gateway"
        found[sample.service][int(sample.ended - began)][who] += 1
    return found
