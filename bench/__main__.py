"""Measures the gateway and the board, and writes a report: `make bench`.

    python -m bench [--only NAME ...] [--pairs 3] [--seconds 2] [--folder build/bench] [--document]

Each section starts what it measures on 127.0.0.1, and ends it. The report is `report.html` in the
folder, `figures.md` has the same figures as Markdown, and with `--document` they also replace the
earlier ones in docs/performance.md. `PEER_URL` names a running Node original, if there is one.

Needs Linux, nginx, wrk, h2load and openssl. The exit code is 1 if a figure is beyond its floor or
if anything was wrong (docs/decisions/floors-and-goals.md), and 2 if a program is missing. A missed
goal is only reported.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.circumstances import Circumstances, observe
from bench.effort import Effort
from bench.figures import Section, failures, shown_range, shown_verdict
from bench.report.page import html
from bench.report.table import markdown, put_into
from bench.sections import (
    capacity,
    curves,
    memory,
    mixed,
    original,
    proxies,
    reads,
    services,
    start,
    through,
    visibility,
    writes,
)

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "performance.md"
TOOLS: Final = ("nginx", "wrk", "h2load", "openssl")

Measure = Callable[[Effort], Section]

SECTIONS: Final[Mapping[str, Measure]] = {
    "reads": reads.measure,
    "writes": writes.measure,
    "mixed": mixed.measure,
    "curves": curves.measure,
    "through": through.measure,
    "visibility": visibility.measure,
    "services": services.measure,
    "memory": memory.measure,
    "start": start.measure,
    "proxies": proxies.measure,
    "capacity": capacity.measure,
    "original": original.measure,
}
"""The sections by name, in the order of the report."""


def main(arguments: Sequence[str]) -> int:
    """Measure, print and write everything. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--pairs", type=int, default=3, help="runs whose median counts")
    parser.add_argument("--seconds", type=int, default=2, help="the time of each run")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    parser.add_argument("--document", action="store_true", help="write into docs/performance.md")
    options = parser.parse_args(arguments)
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or not sys.platform.startswith("linux"):
        sys.stderr.write(f"make bench needs {', '.join(missing) or 'Linux'}\n")
        return 2
    circumstances = observe(" ".join(["make bench", *_shown(arguments)]))
    if circumstances.load > circumstances.cores / 2:
        sys.stderr.write(
            "bench: other programs use this machine, so only ratios mean something: the load"
            f" average is {circumstances.load:.1f}\n"
        )
    effort = Effort(options.pairs, options.seconds, os.environ.get("PEER_URL") or None)
    sections = [run(name, SECTIONS[name], effort) for name in options.only]
    return publish(sections, circumstances, options.folder, DOCUMENT if options.document else None)


def publish(
    sections: Sequence[Section],
    circumstances: Circumstances,
    folder: Path,
    document: Path | None = None,
) -> int:
    """Write the report into the folder, and the figures into the document if there is one. Returns
    the exit code: 1 if the run fails, and the reasons are printed."""
    folder.mkdir(parents=True, exist_ok=True)
    report, text = folder / "report.html", markdown(sections, circumstances)
    report.write_text(html(sections, circumstances), encoding="utf-8")
    (folder / "figures.md").write_text(text, encoding="utf-8")
    if document is not None:
        before = document.read_text(encoding="utf-8")
        document.write_text(put_into(before, text), encoding="utf-8")
    found = failures(sections)
    for sentence in found:
        sys.stderr.write(f"bench: {sentence}\n")
    sys.stdout.write(f"the report: {report}\n")
    return 1 if found else 0


def run(name: str, measure: Measure, effort: Effort) -> Section:
    """One section, printed. If it fails, its error is what is wrong with it, because it must not
    lose the figures of the others."""
    began = time.monotonic()
    try:
        section = measure(effort)
    except Exception as error:
        section = Section(name, "The measurement failed.", wrong=(f"{error!r}"[:2000],))
    sys.stdout.write(f"{section.title} ({time.monotonic() - began:.0f} s)\n")
    for figure in section.figures:
        sys.stdout.write(f"  {figure.what:80} {shown_range(figure):>28}  {shown_verdict(figure)}\n")
    for sentence in section.wrong:
        sys.stdout.write(f"  WRONG: {sentence}\n")
    sys.stdout.flush()
    return section


def _shown(arguments: Sequence[str]) -> list[str]:
    return [f'ARGS="{" ".join(arguments)}"'] if arguments else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
