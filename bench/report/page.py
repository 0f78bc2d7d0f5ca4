"""The report of a run: one HTML file without anything from elsewhere."""

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from bench.circumstances import Circumstances
from bench.figures import Figure, Section, failures, shown_bound, shown_range, shown_verdict
from bench.report.chart import draw

_STYLE: Final = """
:root { color-scheme: light dark; --text: #1d1d1f; --soft: #6a6a70; --paper: #fff;
  --line: #d8d8dc; --first: #1f6fd1; --second: #c2410c; --third: #15803d; --fourth: #7e22ce;
  --bad: #c8102e; }
@media (prefers-color-scheme: dark) { :root { --text: #ececf0; --soft: #a2a2aa; --paper: #161618;
  --line: #3a3a40; --first: #6aa9f7; --second: #f59e63; --third: #5ec98a; --fourth: #c79bf2;
  --bad: #ff5c6c; } }
body { background: var(--paper); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
  margin: 2rem auto; max-width: 66rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
figure { margin: 1rem 0 0; } figcaption { font-weight: 600; font-size: .9rem; }
svg { display: block; width: 100%; height: auto; }
.grid { stroke: var(--line); stroke-width: 1; }
svg text { fill: var(--soft); font-size: 12px; }
.value { text-anchor: end; } .load { text-anchor: middle; }
.line { fill: none; stroke-width: 2; }
.faint { opacity: .55; } .line.faint { stroke-dasharray: 5 4; }
.range { fill-opacity: .15; stroke: none; }
.line.first { stroke: var(--first); } .first:not(.line) { fill: var(--first); }
.line.second { stroke: var(--second); } .second:not(.line) { fill: var(--second); }
.line.third { stroke: var(--third); } .third:not(.line) { fill: var(--third); }
.line.fourth { stroke: var(--fourth); } .fourth:not(.line) { fill: var(--fourth); }
table { border-collapse: collapse; font-size: .875rem; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .8rem .35rem 0; text-align: left;
  vertical-align: top; }
td.n { white-space: nowrap; font-variant-numeric: tabular-nums; } .bad { color: var(--bad); }
code { font-size: .9em; overflow-wrap: anywhere; } .wide { overflow-x: auto; }
"""


def html(sections: Sequence[Section], circumstances: Circumstances) -> str:
    """The report as HTML."""
    wrong = failures(sections)
    body = [
        "<h1>The board's figures</h1>",
        f"<p>{_text(circumstances.sentence())}</p>",
        "<p>A figure is the median of its runs, followed by their range. A run fails if a median is"
        " beyond its floor; a missed goal is only reported.</p>",
    ]
    if wrong:
        body.append('<p class="bad"><strong>This run failed.</strong></p><ul class="bad">')
        body += [f"<li>{escape(sentence)}</li>" for sentence in wrong]
        body.append("</ul>")
    for section in sections:
        body += _section(section)
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>The board\'s figures</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>\n'
        + "\n".join(body)
        + "\n</html>\n"
    )


def _section(section: Section) -> Iterator[str]:
    yield f"<h2>{_text(section.title)}</h2><p>{_text(section.how)}</p>"
    if section.figures:
        yield '<div class="wide"><table><tr><th>what<th>figure<th>floor<th>goal<th>verdict</tr>'
        yield from (_row(figure) for figure in section.figures)
        yield "</table></div>"
    yield from (draw(chart) for chart in section.charts)


def _row(figure: Figure) -> str:
    goal = shown_bound(figure, figure.goal)
    bad = ' class="bad"' if figure.verdict.value == "regressed" else ""
    return (
        f"<tr><td>{_text(figure.what)}<td class=n>{shown_range(figure)}"
        f"<td class=n>{shown_bound(figure, figure.floor)}<td class=n>{goal}"
        f"<td{bad}>{shown_verdict(figure)}</tr>"
    )


def _text(text: str) -> str:
    """Text as HTML; what is between backticks becomes code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
