"""The figures of a run as Markdown, and where they stand in a document."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from bench.circumstances import Circumstances
from bench.figures import Section, shown_bound, shown_range, shown_verdict

BEGIN: Final = "<!-- figures: begin -->"
END: Final = "<!-- figures: end -->"
"""The lines of a document between which the figures stand."""


def markdown(sections: Sequence[Section], circumstances: Circumstances) -> str:
    """All figures: a table for each section, with how it was made."""
    lines = [_paragraph(circumstances.sentence()), ""]
    for section in sections:
        lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"### {section.title}"
    yield ""
    yield _paragraph(section.how)
    yield ""
    for sentence in section.wrong:
        yield f"- **Wrong:** {sentence}"
        yield ""
    if not section.figures:
        return
    yield "| what | median (range) | floor | goal | verdict |"
    yield "|---|---|---|---|---|"
    for figure in section.figures:
        cells = (
            figure.what,
            shown_range(figure),
            shown_bound(figure, figure.floor),
            shown_bound(figure, figure.goal),
            shown_verdict(figure),
        )
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _paragraph(text: str) -> str:
    return textwrap.fill(text, 106, break_long_words=False, break_on_hyphens=False)


def put_into(document: str, figures: str) -> str:
    """The document with these figures in the place of earlier ones.

    Raises `ValueError` if it does not have both lines that mark the place, once each."""
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise ValueError(f"the document needs the lines {BEGIN} and {END}, once each")
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"
