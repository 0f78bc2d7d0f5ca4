"""Charts over time as SVG, without a library or a script: they are part of one HTML file."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 960
_LEFT = 48
_RIGHT = 12
_TOP = 14
_BOTTOM = 18


@dataclass(frozen=True)
class Axis:
    """The seconds of a play, and when its steps began."""

    seconds: int
    marks: Sequence[float]

    def x(self, second: float) -> float:
        """The horizontal position of a time."""
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * second / max(self.seconds, 1)


def areas(
    axis: Axis, title: str, layers: Mapping[str, Sequence[float]], classes: Mapping[str, str]
) -> str:
    """Layers on top of each other, one value for each second, as a share of their sum.

    `classes` has the CSS class of each layer. A second without a value shows what was before it.
    """
    height = 96
    totals = [sum(values) for values in zip(*layers.values(), strict=True)]
    below = [0.0] * len(totals)
    body = []
    for name, values in layers.items():
        above: list[float] = []
        for second, value in enumerate(values):
            total = totals[second]
            share = value / total if total else (above[-1] - below[second] if above else 0.0)
            above.append(below[second] + max(share, 0.0))
        upper = [(second, part) for second, part in enumerate(above)]
        lower = [(second, part) for second, part in enumerate(below)]
        points = " ".join(
            f"{axis.x(second + side):.1f},{_y(part, height):.1f}"
            for second, part, side in (
                *((s, p, side) for s, p in upper for side in (0, 1)),
                *((s, p, side) for s, p in reversed(lower) for side in (1, 0)),
            )
        )
        total = sum(values)
        body.append(
            f'<polygon class="{classes[name]}" points="{points}">'
            f"<title>{escape(name)}: {total:.0f} responses</title></polygon>"
        )
        below = above
    labels = [(0.0, "0 %"), (1.0, "100 %")]
    return _frame(axis, title, height, "".join(body), labels)


def lines(
    axis: Axis, title: str, series: Mapping[str, Sequence[tuple[float, float]]], most: float
) -> str:
    """Lines through points (second, value) on a logarithmic scale from 1 to `most`."""
    height = 150
    top = math.log10(max(most, 10.0))
    body = []
    for name, points in series.items():
        path = " ".join(
            f"{axis.x(second):.1f},{_y(math.log10(max(value, 1.0)) / top, height):.1f}"
            for second, value in points
        )
        body.append(
            f'<polyline class="line {escape(name)}" points="{path}"><title>{escape(name)}</title>'
            "</polyline>"
        )
        if points:
            second, value = points[-1]
            y = _y(math.log10(max(value, 1.0)) / top, height)
            body.append(
                f'<text class="name" x="{axis.x(second) - 4:.1f}" y="{y - 4:.1f}">'
                f"{escape(name)}</text>"
            )
    labels = [(power / top, f"{10**power} ms") for power in range(math.floor(top) + 1)]
    return _frame(axis, title, height, "".join(body), labels)


def bars(axis: Axis, title: str, values: Sequence[float]) -> str:
    """A bar for each second; an empty chart where all are 0."""
    height = 56
    most = max((*values, 1.0))
    body = "".join(
        f'<rect class="failed" x="{axis.x(second):.1f}" y="{_y(value / most, height):.1f}" '
        f'width="{max(axis.x(1) - axis.x(0), 1):.1f}" '
        f'height="{_y(0, height) - _y(value / most, height):.1f}">'
        f"<title>{value:.0f} in second {second}</title></rect>"
        for second, value in enumerate(values)
        if value
    )
    return _frame(axis, title, height, body, [(0.0, "0"), (1.0, f"{most:.0f}")])


def _y(part: float, height: int) -> float:
    return _TOP + (height - _TOP - _BOTTOM) * (1.0 - part)


def _frame(
    axis: Axis, title: str, height: int, body: str, labels: Sequence[tuple[float, str]]
) -> str:
    marks = "".join(
        f'<line class="mark" x1="{axis.x(mark):.1f}" x2="{axis.x(mark):.1f}" y1="{_TOP}" '
        f'y2="{height - _BOTTOM}"/><text class="number" x="{axis.x(mark):.1f}" y="{_TOP - 3}">'
        f"{number}</text>"
        for number, mark in enumerate(axis.marks, start=1)
    )
    ticks = "".join(
        f'<text class="label" x="{_LEFT - 6}" y="{_y(part, height) + 4:.1f}">{escape(text)}</text>'
        for part, text in labels
    )
    every = next(step for step in (5, 10, 30, 60, 300, 3600) if axis.seconds / step <= 14)
    seconds = "".join(
        f'<text class="second" x="{axis.x(second):.1f}" y="{height - 4}">{second} s</text>'
        for second in range(0, axis.seconds + 1, every)
    )
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"{body}{marks}{ticks}{seconds}</svg></figure>"
    )
