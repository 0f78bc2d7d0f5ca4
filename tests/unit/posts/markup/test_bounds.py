"""No text takes more time, or becomes more HTML, than its length allows."""

import sys
import time
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings, target

from services.posts.markup.bounds import Unrenderable, largest_html
from services.posts.markup.renderer import Renderer
from tests.effort import Effort
from tests.unit.posts.markup.hostile import CORPUS, LONGEST, texts

_CALLS_PER_CHARACTER = 280  # 32,000 characters in 0.6 s, where a million calls take 67 ms
_LONGEST_TIME = 0.6  # seconds of processor time
_COUNTED = 4_000  # characters: counting is slow


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    made = Renderer("https://board.example")
    made.to_html("Compile the *expressions* of https://example.org first.")
    return made


class Calls:
    """Counts the calls of functions within its block."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> "Calls":
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _seen(self, _frame: FrameType, event: str, _argument: Any) -> None:
        self.count += event in {"call", "c_call"}


def check(renderer: Renderer, text: str) -> None:
    with Calls() as calls:
        try:
            html = renderer.to_html(text)
        except Unrenderable:
            html = ""
    assert len(html) <= largest_html(len(text))
    assert len(html.encode()) <= largest_html(len(text.encode()))
    assert calls.count <= _CALLS_PER_CHARACTER * max(len(text), _COUNTED)


@pytest.mark.parametrize("name", CORPUS)
def test_hostile_text_is_rendered_or_refused_within_bounds(renderer: Renderer, name: str) -> None:
    check(renderer, CORPUS[name][:_COUNTED])


@pytest.mark.prove
def test_generated_text_is_rendered_or_refused_within_bounds(
    renderer: Renderer, effort: Effort
) -> None:
    @settings(max_examples=effort.texts)
    @given(texts())
    def run(text: str) -> None:
        check(renderer, text[:_COUNTED])

    run()


@pytest.mark.measured
@pytest.mark.timeout(3_600)
def test_longest_texts_are_rendered_in_time(
    renderer: Renderer, effort: Effort, capsys: pytest.CaptureFixture[str]
) -> None:
    costs: dict[str, Cost] = {text: cost(renderer, text) for text in CORPUS.values()}

    @settings(max_examples=max(20, effort.texts // 10))
    @given(texts())
    def run(text: str) -> None:
        costs[text] = cost(renderer, text)
        target(costs[text].seconds)

    run()
    # The least of three times: a busy machine doubles the time that the same work takes.
    for text in sorted(costs, key=lambda each: costs[each].seconds)[-5:]:
        costs[text] = min((cost(renderer, text) for _ in range(3)), key=lambda each: each.seconds)
    slowest = max(costs, key=lambda text: costs[text].seconds)
    largest = max(costs, key=lambda text: costs[text].html)
    with capsys.disabled():
        print(  # noqa: T201 - the figures are the result
            f"\n{len(costs):,} texts of {LONGEST:,} characters: {costs[slowest].seconds:.2f} s of "
            f"processor time for {slowest[:60]!r}, "
            f"{costs[largest].html:,} characters of HTML for {largest[:60]!r}"
        )
    assert costs[slowest].seconds < _LONGEST_TIME, slowest[:200]


@dataclass(frozen=True)
class Cost:
    """Seconds of processor time, and characters of HTML, which are 0 for a text that is refused."""

    seconds: float
    html: int


def cost(renderer: Renderer, text: str) -> Cost:
    began = time.thread_time()
    try:
        html = len(renderer.to_html(text))
    except Unrenderable:
        html = 0
    return Cost(time.thread_time() - began, html)


def test_references_expand_to_100_000_characters_and_no_further(renderer: Renderer) -> None:
    address = "https://a.example/" + "b" * 982
    html = renderer.to_html("[a] " * 200 + "x" * 16_000 + f"\n\n[a]: {address}")
    assert html.count(address) == 100
    assert html.count("[a]") == 100


def test_references_expand_to_the_length_of_a_longer_text(renderer: Renderer) -> None:
    address = "https://a.example/" + "b" * 982
    html = renderer.to_html("[a] " * 200 + "x" * 120_000 + f"\n\n[a]: {address}")
    assert html.count(address) == (200 * 4 + 120_000 + 7 + 1_000) // 1_000


@pytest.mark.parametrize("label", ["[a]", "[b][a]", "[a][]", "![a]"])
def test_every_kind_of_reference_is_bounded(renderer: Renderer, label: str) -> None:
    with pytest.raises(Unrenderable, match="too much HTML"):
        renderer.to_html(f"{label} " * 200 + f"\n\n[a]: https://a.example/{'b' * 982}")


def test_full_rows_of_a_wide_table_are_rendered(renderer: Renderer) -> None:
    row = "|" + "a|" * 100 + "\n"
    html = renderer.to_html(row + "|" + "-|" * 100 + "\n" + row * 100)
    assert html.count("<td>") == 10_000


def test_empty_cells_are_bounded(renderer: Renderer) -> None:
    with pytest.raises(Unrenderable, match="too many elements"):
        renderer.to_html("|" + "a|" * 100 + "\n|" + "-|" * 100 + "\n" + "|\n" * 100)


def test_address_that_is_too_long_stays_text(renderer: Renderer) -> None:
    assert "<a" not in renderer.to_html("https://a.example/" + "b" * 1_000)
    assert "<a" in renderer.to_html("https://a.example/" + "b" * 900)
    assert "<a" in renderer.to_html(f"{'b' * 2_000} https://a.example/")
