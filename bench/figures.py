"""What is measured: figures with their floors and goals, charts, and what was wrong meanwhile."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What a figure's median says. Only `REGRESSED` fails a run."""

    REPORTED = "reported"
    HOLDS = "holds"
    MISSES_GOAL = "misses its goal"
    REGRESSED = "regressed"


@dataclass(frozen=True)
class Bound:
    """A limit that a figure must not be under, or, if it is `most`, not be above."""

    limit: float
    most: bool = False

    def admits(self, value: float) -> bool:
        """Whether a value is within the limit."""
        return value <= self.limit if self.most else value >= self.limit

    def missed_by(self, value: float) -> float:
        """How far a value is from the limit, as a share of the limit; 0 if it is within."""
        if self.admits(value):
            return 0.0
        return abs(value - self.limit) / self.limit if self.limit else 1.0


def at_least(limit: float) -> Bound:
    """A bound for what should be large."""
    return Bound(limit)


def at_most(limit: float) -> Bound:
    """A bound for what should be small."""
    return Bound(limit, most=True)


@dataclass(frozen=True)
class Figure:
    """A measured quantity, with one value for each run.

    The median must be within `floor`; beyond it, something has become worse, and the run fails.
    `goal` is what the board should reach: a figure that misses it is reported, and by how much.
    `unit` is empty for a ratio. `digits` are those after the decimal point.
    """

    what: str
    values: tuple[float, ...]
    unit: str = ""
    floor: Bound | None = None
    goal: Bound | None = None
    digits: int = 2

    def __post_init__(self) -> None:
        """Raises `ValueError` if there is no value, or if the goal is easier than the floor."""
        if not self.values:
            raise ValueError(f"{self.what}: nothing was measured")
        if self.floor and self.goal and not self.floor.admits(self.goal.limit):
            raise ValueError(f"{self.what}: the goal is beyond the floor")

    @property
    def median(self) -> float:
        """The median of all runs."""
        return statistics.median(self.values)

    @property
    def verdict(self) -> Verdict:
        """What the median says."""
        if self.floor is not None and not self.floor.admits(self.median):
            return Verdict.REGRESSED
        if self.goal is not None and not self.goal.admits(self.median):
            return Verdict.MISSES_GOAL
        if self.floor is None and self.goal is None:
            return Verdict.REPORTED
        return Verdict.HOLDS


@dataclass(frozen=True)
class Point:
    """The values of all runs under one load."""

    load: float
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the runs."""
        return statistics.median(self.values)


@dataclass(frozen=True)
class Curve:
    """A line of a chart. Lines whose names are equal up to a comma have one colour; a `faint` one
    is dashed."""

    name: str
    points: tuple[Point, ...]
    faint: bool = False


@dataclass(frozen=True)
class Chart:
    """Values over load. The values are drawn on a logarithmic scale."""

    title: str
    load: str
    unit: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Section:
    """What one part of the benchmark found, and `how` it was measured.

    `wrong` are effects that were missing and errors that servers counted: a fast wrong response is
    a failure, so any of them fails the run.
    """

    title: str
    how: str
    figures: tuple[Figure, ...] = ()
    charts: tuple[Chart, ...] = ()
    wrong: tuple[str, ...] = ()


def failures(sections: Sequence[Section]) -> list[str]:
    """A sentence for each reason why a run fails; empty if it does not."""
    found = []
    for section in sections:
        found += [f"{section.title}: {sentence}" for sentence in section.wrong]
        found += [
            f"{section.title}: {figure.what} regressed: {number(figure, figure.median)} is beyond"
            f" the floor of {number(figure, figure.floor.limit)}"
            for figure in section.figures
            if figure.verdict is Verdict.REGRESSED and figure.floor is not None
        ]
    return found


def number(figure: Figure, value: float) -> str:
    """A value with the digits and the unit of a figure."""
    return f"{value:,.{figure.digits}f}{f' {figure.unit}' if figure.unit else ''}"


def shown_range(figure: Figure) -> str:
    """The median, and the range of the runs if there were several."""
    if len(figure.values) == 1:
        return number(figure, figure.median)
    low, high = min(figure.values), max(figure.values)
    return (
        f"{number(figure, figure.median)} ({low:,.{figure.digits}f} to {high:,.{figure.digits}f})"
    )


def shown_bound(figure: Figure, bound: Bound | None) -> str:
    """A bound in words; empty if there is none."""
    if bound is None:
        return ""
    return f"{'at most' if bound.most else 'at least'} {number(figure, bound.limit)}"


def shown_verdict(figure: Figure) -> str:
    """The verdict, and by how much the goal is missed."""
    if figure.verdict is Verdict.MISSES_GOAL and figure.goal is not None:
        return f"misses its goal by {figure.goal.missed_by(figure.median):.0%}"
    return figure.verdict.value
