"""What Lighthouse says about the list of threads and a thread of 100 posts: `make lighthouse`.

Fails if a score is lower than `LOWEST`. `npx` downloads the pinned version into its own cache: it
brings 111 MB of packages, which nothing else needs."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.browser.chromium import executable
from tests.deployments import Board, processes
from tests.people import Person, joining

VERSION = "12.2.3"
POSTS = 100
LOWEST: Mapping[str, float] = {
    "performance": 0.95, "accessibility": 1.0, "best-practices": 1.0, "seo": 1.0,
}  # fmt: skip
"""The lowest allowed score of each category, from 0 to 1."""

DEVICES: Mapping[str, Sequence[str]] = {"phone": (), "desktop": ("--preset=desktop",)}
TIMES = {
    "first-contentful-paint": "first paint", "largest-contentful-paint": "largest paint",
    "cumulative-layout-shift": "shift",
}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """Lighthouse's report about a page on a device."""

    page: str
    device: str
    content: Mapping[str, Any]

    @property
    def row(self) -> str:
        """The report as a row of a table in Markdown."""
        scores = [f"{100 * self.score(category):.0f}" for category in LOWEST]
        times = [self.content["audits"][audit]["displayValue"] for audit in TIMES]
        return f"| {' | '.join([self.page, self.device, *scores, *times])} |"

    def score(self, category: str) -> float:
        """A category's score, from 0 to 1."""
        found: float = self.content["categories"][category]["score"]
        return found

    @property
    def complaints(self) -> list[str]:
        """What lowers a score that is too low."""
        audits = self.content["audits"]
        return [
            f"{self.page}, {self.device}: {category}: {_explained(audits[reference['id']])}"
            for category, lowest in LOWEST.items()
            if self.score(category) < lowest
            for reference in self.content["categories"][category]["auditRefs"]
            if reference["weight"] and (audits[reference["id"]]["score"] or 0) < 1
        ]


def _explained(audit: Mapping[str, Any]) -> str:
    items = audit.get("details", {}).get("items", [])
    places = [item["node"]["selector"] for item in items[:3] if "node" in item]
    return ", ".join([audit["title"], *places])


async def write_thread(person: Person) -> int:
    """Start a thread of 100 posts. Returns its id."""
    thread: int = (await person.start_thread("A hundred posts about bread"))["id"]
    for number in range(POSTS):
        said = "The dough rises slowly, and nobody minds. " * (1 + number % 7)
        await person.write(thread, f"Post {number}: {said}")
    return thread


async def look(board: Board, path: str, page: str, device: str) -> Report:
    """Let Lighthouse look at a page."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        flags = [
            "--headless=new",
            "--disable-gpu",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ]
        process = await asyncio.create_subprocess_exec(
            "npx", "--yes", f"lighthouse@{VERSION}", board.public_origin + path, "--quiet",
            "--output=json", f"--output-path={file}", f"--chrome-flags={' '.join(flags)}",
            *DEVICES[device],
            env={**os.environ, "CHROME_PATH": executable()},
        )  # fmt: skip
        if await process.wait() != 0:
            raise RuntimeError(f"Lighthouse failed with status {process.returncode}")
        return Report(page, device, json.loads(file.read_text(encoding="utf-8")))


async def look_at_all(board: Board) -> list[Report]:
    """Look at each page on each device."""
    async with joining(board) as person:
        thread = await write_thread(person)
    pages = {"list": "/", f"{POSTS} posts": f"/threads/{thread}"}
    return [
        await look(board, path, page, device) for page, path in pages.items() for device in DEVICES
    ]


def main() -> None:
    """Print a table of scores, and what lowers those that are too low."""
    with processes("monolith") as run:
        reports = asyncio.run(look_at_all(run.board))
    heads = ["page", "device", *LOWEST, *TIMES.values()]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")  # noqa: T201 - a command's output
    for report in reports:
        print(report.row)  # noqa: T201 - likewise
    complaints = [complaint for report in reports for complaint in report.complaints]
    if complaints:
        sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main()
