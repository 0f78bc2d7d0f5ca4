"""The report is one file that says what happened, and never treats text as markup."""

import re
from html.parser import HTMLParser
from pathlib import Path

from strangle.audit import Check
from strangle.show.report import html, write
from tests.unit.strangle.histories import result, sample
from topology.deployments import SERVICES


class Elements(HTMLParser):
    """Collects the elements of a page, and their addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_report_has_a_chart_for_each_service_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    play = result(*(sample(100 + second / 10) for second in range(90)))
    play.checks = (Check("no request failed", "90 requests", ()),)
    path = write(play, tmp_path / "a" / "report.html")
    text = path.read_text(encoding="utf-8")
    elements = Elements(text)
    assert elements.names.count("svg") == len(SERVICES) + 2
    assert not elements.addresses
    assert not {"script", "link", "img", "iframe"} & {*elements.names}
    assert "url(" not in text
    for service in SERVICES:
        assert f"Requests about {service}" in text


def test_report_shows_each_step_with_its_sentence_and_command_as_text() -> None:
    text = html(result(sample(103.2)))
    assert "One &lt;request&gt; in ten." in text
    assert "<request>" not in text
    assert "make shift ON=aws CONTEXT=posts SHARE=10" in text


def test_report_of_a_failed_play_says_so() -> None:
    play = result(sample(104.0, problem="502 <b>", server=""))
    play.checks = (Check("no request failed", "1 requests", ("1 times 502 <b>",)),)
    text = html(play)
    assert "1 failed" in text
    assert "The audit failed." in text
    assert "502 &lt;b&gt;" in text
    assert re.search(r'<rect class="failed"', text)


def test_report_says_which_steps_were_too_slow() -> None:
    text = html(result(sample(103.2, latency=0.2)))
    assert "✗ <strong>p99 during steps" in text
    assert "<li>during steps: 200.0 ms</li>" in text


def test_report_of_a_play_without_requests_can_be_written() -> None:
    assert "There was none: the board did not answer." in html(result())
