"""What a fault did to the requests, computed from what the load recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from strangle.audit import Check
from strangle.history import Sample

MOST_RECOVERY: Final = 2.0
"""Seconds after a single fault within which the board must serve everything again."""

SLOWEST: Final = 1.0
"""Seconds within which a request must have its answer, also one that fails."""

READS_THAT_GO_ON: Final = 0.999
"""The share of reads without need of the broken part that must succeed."""


@dataclass(frozen=True)
class Figures:
    """`met` is the number of requests that were in flight when the fault struck, or were sent while
    it lasted, and needed the broken part. `failed` of them failed, the slowest after
    `slowest_failure` seconds, as `failures` describes; `mute` are failures from a service without
    a time to retry.
    `other_reads` did not need the part, `other_failed` of them failed. `recovery` is the time
    in seconds from the fault's end to the end of the last request that failed or was slow."""

    met: int
    failures: tuple[str, ...]
    slowest_failure: float
    mute: tuple[str, ...]
    other_reads: int
    other_failed: tuple[str, ...]
    recovery: float


def measure(
    samples: Sequence[Sample], concerns: Callable[[Sample], bool], began: float, ended: float
) -> Figures:
    """The figures of a fault that struck at `began` and ended at `ended`, from the requests around
    it; `concerns` says whether a request needs what it broke."""
    around = [sample for sample in samples if sample.ended >= began]
    needing = [sample for sample in around if concerns(sample)]
    others = [s for s in around if not concerns(s) and s.what.startswith("GET ")]
    failed = [sample for sample in needing if sample.problem is not None]
    disturbed = [s for s in around if s.problem is not None or s.ended - s.sent > SLOWEST]
    return Figures(
        met=sum(sample.sent <= ended for sample in needing),
        failures=tuple(_described(s) for s in failed),
        slowest_failure=max((sample.ended - sample.sent for sample in failed), default=0.0),
        mute=tuple(_described(s) for s in failed if _is_mute(s)),
        other_reads=len(others),
        other_failed=tuple(_described(s) for s in others if s.problem is not None),
        recovery=max((s.ended - ended for s in disturbed if s.ended > ended), default=0.0),
    )


def checks(figures: Figures, *, alone: bool, harmless: bool = False) -> tuple[Check, ...]:
    """What must be true of the figures. With `alone`, one part was broken at a time; with
    `harmless`, nobody may notice."""
    met = () if figures.met else ("no request was in flight: the fault does not count",)
    allowed = figures.other_reads * (1 - READS_THAT_GO_ON)
    lost = figures.other_failed if len(figures.other_failed) > allowed else ()
    found = [
        Check("the fault met requests", f"{figures.met} requests", met),
        Check("reads of the other parts went on", f"{figures.other_reads} reads", lost),
        Check("failures said when to retry", f"{len(figures.failures)} failures", figures.mute),
    ]
    if harmless:
        found.append(Check("no request failed", f"{figures.met} requests", figures.failures))
    return tuple(found) if alone or harmless else tuple(found[:1])


def times(figures: Figures, *, alone: bool) -> tuple[Check, ...]:
    """Which times must be within their limits."""
    slow: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    if figures.slowest_failure > SLOWEST:
        slow = (f"a failure took {figures.slowest_failure:.2f} s",)
    if figures.recovery > MOST_RECOVERY:
        recovered = (f"it took {figures.recovery:.2f} s",)
    found = [
        Check("failures came quickly", f"slowest {figures.slowest_failure:.2f} s", slow),
        Check("the board recovered quickly", f"{figures.recovery:.2f} s", recovered),
    ]
    return tuple(found) if alone else ()


def _is_mute(sample: Sample) -> bool:
    # The gateway answers as AWS's load balancer does, which does not say when to retry.
    return bool(sample.server) and not sample.retry_after


def _described(sample: Sample) -> str:
    return f"{sample.what}: {sample.problem}"
