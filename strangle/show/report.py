"""The report of a play: one HTML file without anything from elsewhere, to show to others."""

from collections import defaultdict
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from strangle.audit import Check
from strangle.play import Result
from strangle.show.chart import Axis, areas, bars, lines
from strangle.show.figures import (
    Latency,
    answered,
    between,
    during,
    is_during,
    latencies,
    percentile,
    step_latency,
)
from topology.deployments import MONOLITH, SERVICES

_WINDOW: Final = 2
_STYLE: Final = """
:root { color-scheme: light dark; --text: #1d1d1f; --soft: #6a6a70; --paper: #fff;
  --line: #d8d8dc; --service: #1f6fd1; --monolith: #e8a33d; --failed: #c8102e; }
@media (prefers-color-scheme: dark) { :root { --text: #ececf0; --soft: #a2a2aa; --paper: #161618;
  --line: #3a3a40; --service: #6aa9f7; --monolith: #c98a2b; --failed: #ff5c6c; } }
body { background: var(--paper); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
  margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
figure { margin: .5rem 0 0; } figcaption { font-weight: 600; font-size: .9rem; }
svg { display: block; width: 100%; height: auto; }
.service { fill: var(--service); } .monolith { fill: var(--monolith); }
.failed { fill: var(--failed); } .gateway { fill: var(--soft); }
.mark { stroke: var(--text); stroke-opacity: .35; stroke-width: 1; }
.number, .label, .second, .name { fill: var(--soft); font-size: 9px; }
.number { text-anchor: middle; } .label, .name { text-anchor: end; }
.line { fill: none; stroke-width: 1.5; stroke: var(--service); }
.line.p50 { stroke: var(--soft); } .line.p99 { stroke: var(--monolith); }
.key span { display: inline-block; width: .9em; height: .9em; margin: 0 .3em 0 1em; }
.key .service { background: var(--service); } .key .monolith { background: var(--monolith); }
.key .failed { background: var(--failed); }
table { border-collapse: collapse; font-size: .875rem; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem .35rem 0; text-align: left;
  vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font-size: .85em; overflow-wrap: anywhere; } .bad { color: var(--failed); }
.wide { overflow-x: auto; }
"""


def write(result: Result, path: Path) -> Path:
    """Write the report of a play, and return its path. Missing folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html(result), encoding="utf-8")
    return path


def html(result: Result) -> str:
    """The report as HTML."""
    samples = result.history.samples
    axis = Axis(
        int(result.ended - result.began) + 1, [mark.began - result.began for mark in result.marks]
    )
    failed = sum(sample.problem is not None for sample in samples)
    title = "From a monolith to services"
    verdict = (
        f"{len(samples)} requests in {axis.seconds} seconds, {failed} failed. "
        + ("Everything that was acknowledged is there." if result.passed else "The audit failed.")
        + (" The play was interrupted." if result.interrupted else "")
    )
    parts = [
        f"<h1>{title}</h1>",
        f"<p{'' if result.passed else ' class=bad'}><strong>{escape(verdict)}</strong></p>",
        "<p>Each number above a chart is a step; the table below says what it does.</p>",
        "<h2>Who answered</h2>",
        '<p class="key"><span class="monolith"></span>the monolith<span class="service"></span>its '
        'service<span class="failed"></span>failed</p>',
        *_who_answered(result, axis),
        "<h2>How fast</h2>",
        _latency_chart(result, axis),
        _latency_table(result),
        _check(step_latency(result)),
        "<h2>What failed</h2>",
        bars(axis, f"Failed requests in each second: {failed} in all", _failures(result, axis)),
        "<h2>The steps</h2>",
        _steps(result),
        "<h2>The audit</h2>",
        *(_check(check) for check in result.checks),
    ]
    if not result.checks:
        parts.append('<p class="bad">There was none: the board did not answer.</p>')
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</html>\n"
    )


def _who_answered(result: Result, axis: Axis) -> Iterator[str]:
    by_service = answered(result.history.samples, result.began)
    for service in SERVICES:
        seconds = by_service.get(service, {})
        names = {MONOLITH: "monolith", service: "service", "gateway": "gateway", "failed": "failed"}
        layers = {
            name: [float(seconds[second][name]) if second in seconds else 0.0
                   for second in range(axis.seconds)]
            for name in names
        }  # fmt: skip
        yield areas(axis, f"Requests about {service}", layers, names)


def _latency_chart(result: Result, axis: Axis) -> str:
    windows: dict[int, list[float]] = defaultdict(list)
    for sample in result.history.samples:
        [latency] = latencies([sample])
        windows[int((sample.due - result.began) // _WINDOW)].append(latency)
    series = {
        f"p{round(100 * part)}": [
            ((window + 0.5) * _WINDOW, percentile(windows[window], part))
            for window in sorted(windows)
        ]
        for part in (0.5, 0.95, 0.99)
    }
    most = max((value for points in series.values() for _, value in points), default=10.0)
    return lines(
        axis, f"Latency in every {_WINDOW} seconds, from when a request was due", series, most
    )


def _latency_table(result: Result) -> str:
    rows = "".join(
        f'<tr><td>{name}</td><td class="n">{one.requests}</td><td class="n">{one.p50:.1f}</td>'
        f'<td class="n">{one.p95:.1f}</td><td class="n">{one.p99:.1f}</td></tr>'
        for name, one in (
            ("between steps", between(result)),
            ("during steps", during(result, result.marks)),
        )
    )
    return (
        '<div class="wide"><table><tr><th>requests that were due</th><th class="n">requests</th>'
        f'<th class="n">p50 (ms)</th><th class="n">p95 (ms)</th><th class="n">p99 (ms)</th></tr>'
        f"{rows}</table></div>"
    )


def _failures(result: Result, axis: Axis) -> list[float]:
    seconds = [0.0] * axis.seconds
    for sample in result.history.samples:
        if sample.problem is not None:
            seconds[min(max(int(sample.ended - result.began), 0), axis.seconds - 1)] += 1
    return seconds


def _steps(result: Result) -> str:
    rows = []
    for number, mark in enumerate(result.marks, start=1):
        samples = [one for one in result.history.samples if is_during(mark, one)]
        failed = sum(one.problem is not None for one in samples)
        rows.append(
            f'<tr><td class="n">{number}</td><td class="n">{mark.began - result.began:.0f} s</td>'
            f"<td><strong>{escape(mark.step.name)}</strong><br>{escape(mark.step.sentence)}<br>"
            f"<code>{escape(mark.step.aws)}</code></td>"
            f'<td class="n">{mark.done - mark.began:.1f} s</td>'
            f'<td class="n">{Latency.of(samples).p99:.1f}</td>'
            f'<td class="n{" bad" if failed else ""}">{failed}</td></tr>'
        )
    return (
        '<div class="wide"><table><tr><th></th><th class="n">began</th>'
        "<th>what, and the same on AWS</th>"
        '<th class="n">took</th><th class="n">p99 (ms)</th><th class="n">failed</th></tr>'
        f"{''.join(rows)}</table></div>"
    )


def _check(check: Check) -> str:
    problems = "".join(f"<li>{escape(problem)}</li>" for problem in check.problems[:100])
    mark, style = ("✓", "") if check.passed else ("✗", ' class="bad"')
    return (
        f"<p{style}>{mark} <strong>{escape(check.name)}</strong> ({escape(check.counted)})</p>"
        + (f"<ul>{problems}</ul>" if problems else "")
    )
