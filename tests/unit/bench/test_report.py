"""The report is one file without anything from elsewhere, and says how its figures were made."""

import re
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.__main__ import DOCUMENT, publish, run
from bench.circumstances import Circumstances, observe
from bench.effort import Effort
from bench.figures import Chart, Curve, Figure, Point, Section, at_least
from bench.report.chart import draw
from bench.report.page import html
from bench.report.table import BEGIN, END, markdown, put_into
from bench.sections import original

MADE = Circumstances(
    command='make bench ARGS="--pairs 5"',
    commit="0123456789",
    began=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    cores=2,
    processor="A processor",
    memory_gib=7.6,
    system="Linux 6.1",
    python="3.13.1",
    load=0.5,
)
CHART = Chart(
    "Latency <over> load",
    "requests a second",
    "ms",
    (
        Curve("monolith, p99", (Point(100, (2.0, 3.0, 9.0)), Point(1000, (20.0, 20.0, 40.0)))),
        Curve("services, p99", (Point(100, (4.0,)), Point(1000, (5000.0,)))),
        Curve("monolith, median", (Point(100, (1.0,)), Point(1000, (9.0,))), faint=True),
        Curve("nothing", ()),
    ),
)
SLOW = Figure("`/api` : other", (0.4, 0.5), floor=at_least(0.3), goal=at_least(0.9))


def test_report_says_how_the_figures_were_made() -> None:
    shown = html([Section("Reads", "With `wrk`, <2 s>.", (SLOW,))], MADE)
    for part in (
        "<code>make bench ARGS=&quot;--pairs 5&quot;</code>",
        "0123456789",
        "2026-01-02, 03:04 UTC",
        "2 cores (A processor)",
        "With <code>wrk</code>, &lt;2 s&gt;.",
        "0.45 (0.40 to 0.50)",
        "at least 0.90",
        "misses its goal by 50%",
    ):
        assert part in shown


def test_report_loads_nothing_and_runs_no_script() -> None:
    shown = html([Section("Load", "", charts=(CHART,))], MADE)
    assert "<svg" in shown
    assert not re.search(r"https?:|src=|@import|url\(|<script|<link", shown)


def test_report_begins_with_the_reasons_of_a_failure() -> None:
    section = Section("Writes", "", wrong=("2 posts <lost>",))
    assert "<li>Writes: 2 posts &lt;lost&gt;</li>" in html([section], MADE)
    assert "This run failed" not in html([Section("Writes", "")], MADE)


def test_chart_draws_medians_within_the_range_of_the_runs() -> None:
    svg = re.search(r"<svg.*</svg>", draw(CHART))
    assert svg is not None
    root = ElementTree.fromstring(svg[0])  # noqa: S314 - ours
    lines = list(root.iter("polyline"))
    assert [line.attrib["class"] for line in lines] == [
        "line first", "line second", "line first faint",
    ]  # fmt: skip
    (x0, y0), (x1, y1) = _points(lines[0])
    assert x0 < x1
    assert y0 > y1, "larger values are higher up"
    area = _points(next(root.iter("polygon")))
    assert len(area) == 4
    assert min(y for x, y in area if x == x0) < y0 < max(y for x, y in area if x == x0)
    for x, y in (*area, *_points(lines[1])):
        assert 0 <= x <= 960
        assert 0 <= y <= 360
    titles = [each.text for each in root.iter("title")]
    assert "monolith, p99: 3.0 ms (2.0 to 9.0) at 100" in titles


def test_chart_without_values_says_so() -> None:
    assert "nothing was measured" in draw(Chart("Latency", "", "ms", (Curve("monolith", ()),)))


def test_markdown_has_a_row_for_each_figure() -> None:
    text = markdown([Section("Reads", "How.", (SLOW,), wrong=("lost",))], MADE)
    row = "| `/api` : other | 0.45 (0.40 to 0.50) | at least 0.30 | at least 0.90 |"
    assert row in text
    assert "### Reads" in text
    assert "- **Wrong:** lost" in text


def test_figures_replace_earlier_ones_in_a_document() -> None:
    document = f"# Title\n\n{BEGIN}\nold\n{END}\n\nrest\n"
    once = put_into(document, "new\n")
    assert once == f"# Title\n\n{BEGIN}\nnew\n\n{END}\n\nrest\n"
    assert put_into(once, "new\n") == once


def test_document_without_a_place_for_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="once each"):
        put_into("# Title\n", "new")


def test_document_has_a_place_for_the_figures() -> None:
    assert put_into(DOCUMENT.read_text(encoding="utf-8"), "figures\n")


def test_published_run_fails_only_if_something_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"{BEGIN}\n{END}\n")
    good = Section("Reads", "How.", (SLOW,), (CHART,))
    assert publish([good], MADE, tmp_path / "out", document) == 0
    assert "<svg" in (tmp_path / "out" / "report.html").read_text()
    figures = (tmp_path / "out" / "figures.md").read_text()
    assert figures in document.read_text()
    assert publish([Section("Reads", "", wrong=("lost",))], MADE, tmp_path / "out") == 1
    assert "bench: Reads: lost" in capsys.readouterr().err


def test_section_that_cannot_be_measured_is_wrong_and_loses_no_other() -> None:
    def broken(effort: Effort) -> Section:
        raise RuntimeError(f"no server after {effort.seconds} s")

    assert run("reads", broken, Effort()).wrong == ("RuntimeError('no server after 2 s')",)


def test_original_is_measured_only_if_there_is_one() -> None:
    section = original.measure(Effort())
    assert section.figures == ()
    assert "PEER_URL" in section.how


def test_circumstances_are_those_of_this_machine() -> None:
    made = observe("make bench")
    assert made.cores >= 1
    assert made.memory_gib > 0
    assert made.processor
    assert made.python in made.sentence()


def _points(element: ElementTree.Element) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in element.attrib["points"].split()]
    return [(float(x), float(y)) for x, y in pairs]
