"""Charts of values over load as SVG, without a library or a script: they are part of one file."""

import math
from dataclasses import dataclass
from html import escape
from typing import Final

from bench.figures import Chart, Curve, Point

_WIDTH: Final = 960
_HEIGHT: Final = 360
_LEFT: Final = 80
_RIGHT: Final = 150
_TOP: Final = 14
_BOTTOM: Final = 40
_CLASSES: Final = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class _Axes:
    """The largest load, and the powers of ten between which the values are."""

    most_load: float
    low: int
    high: int

    @classmethod
    def around(cls, points: list[Point]) -> "_Axes":
        values = [value for point in points for value in point.values]
        low = math.floor(math.log10(max(min(values), 1e-3)))
        high = math.ceil(math.log10(max(*values, 1e-3)))
        return cls(max(point.load for point in points), low, max(high, low + 1))

    def x(self, load: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * load / self.most_load

    def y(self, value: float) -> float:
        part = (math.log10(max(value, 10.0**self.low)) - self.low) / (self.high - self.low)
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - part)


def draw(chart: Chart) -> str:
    """The chart as a figure in HTML: a line through the medians of each curve, and an area between
    the lowest and the highest runs."""
    points = [point for curve in chart.curves for point in curve.points]
    if not points:
        return f"<p>{escape(chart.title)}: nothing was measured.</p>"
    axes = _Axes.around(points)
    names = list(dict.fromkeys(map(_subject, chart.curves)))
    body = [
        _curve(axes, curve, _CLASSES[names.index(_subject(curve)) % len(_CLASSES)], chart.unit)
        for curve in chart.curves
        if curve.points
    ]
    return (
        f"<figure><figcaption>{escape(chart.title)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(chart.title)}">'
        f"{_grid(axes, chart)}{''.join(body)}</svg></figure>"
    )


def _subject(curve: Curve) -> str:
    """What curves of the same colour are about: the name up to a comma."""
    return curve.name.partition(",")[0]


def _curve(axes: _Axes, curve: Curve, name: str, unit: str) -> str:
    kind = f"{name}{' faint' if curve.faint else ''}"
    upper = [(axes.x(p.load), axes.y(max(p.values))) for p in curve.points]
    lower = [(axes.x(p.load), axes.y(min(p.values))) for p in curve.points]
    middle = [(axes.x(p.load), axes.y(p.median)) for p in curve.points]
    dots = "".join(
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>'
        f"{escape(curve.name)}: {point.median:.1f} {escape(unit)} ({min(point.values):.1f} to"
        f" {max(point.values):.1f}) at {point.load:.0f}</title></circle>"
        for point, (x, y) in zip(curve.points, middle, strict=True)
    )
    x, y = middle[-1]
    return (
        f'<polygon class="range {kind}" points="{_path([*upper, *reversed(lower)])}"/>'
        f'<polyline class="line {kind}" points="{_path(middle)}"/>{dots}'
        f'<text class="name {kind}" x="{x + 8:.1f}" y="{y + 4:.1f}">{escape(curve.name)}</text>'
    )


def _path(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _grid(axes: _Axes, chart: Chart) -> str:
    parts = []
    for power in range(axes.low, axes.high + 1):
        y = axes.y(10.0**power)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="value" x="{_LEFT - 8}" y="{y + 4:.1f}">{10.0**power:g}'
            f" {escape(chart.unit)}</text>"
        )
    for load in _ticks(axes.most_load):
        x = axes.x(load)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
            f'<text class="load" x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}">{load:,.0f}</text>'
        )
    parts.append(
        f'<text class="load" x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" y="{_HEIGHT - 4}">'
        f"{escape(chart.load)}</text>"
    )
    return "".join(parts)


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to `most`, at most eight."""
    step = 10.0 ** math.floor(math.log10(most))
    for part in (0.1, 0.2, 0.5, 1.0):
        if most / (step * part) <= 8:
            step *= part
            break
    return [step * number for number in range(int(most / step) + 1)]
