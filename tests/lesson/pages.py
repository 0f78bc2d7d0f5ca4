"""Reads the pages of the lesson: commands, what they should print, and how long a part takes.

A page is Markdown. A fenced block with the language `sh` has a command. A block with the language
`text` that follows it has the whole output. The words after `sh` say how the command is run:

- nothing: until it ends, with exit status 0
- `fails`: until it ends, with another exit status
- `background`: it goes on until the page says `<!-- Ctrl-C -->`; its output must begin as shown
- `meanwhile`: it goes on while the next commands run, and ends by itself: Ctrl-C and the end of the
  page wait for it
- `docker`: as without a word, where a Docker engine is needed
- `aws`: not run; tests/rehearsal must run the same command on an emulated AWS
- `not-run: REASON`: not run at all

In the output, `<name>` stands for something that differs each time; FIELDS has every name and what
it may be. `<lines>`, alone on a line, stands for any number of lines. Everything else must be the
same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.repository import ROOT

FOLDER: Final = ROOT / "docs" / "lesson"
PORTS: Final = ("8080", "8081")
"""The ports in the pages: of the board on this machine, and of the one in containers."""

FIELDS: Final = {
    "number": r"\d+",
    "ms": r"\d+(?:\.\d+)?",
    "seconds": r"\d+\.\d",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "processor": r"x86_64|aarch64|arm64",
    "processes": r"[a-z]+ \d+(?:, [a-z]+ \d+)*",
}
"""What varies in outputs, and what it may be."""
LINES: Final = "<lines>"
_RUN: Final = frozenset({"", "fails", "background", "meanwhile", "docker", "aws"})
_STOP: Final = "<!-- Ctrl-C -->"
_PIECE: Final = re.compile(
    rf"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$|^{re.escape(_STOP)}$", re.MULTILINE | re.DOTALL
)


class PageError(Exception):
    """A page does not follow the rules above."""


@dataclass(frozen=True)
class Command:
    """A command, how it is run, its whole output (None if the page does not show it), and why it is
    not run, if it is not. `line` is where it is in its page."""

    text: str
    how: str
    output: str | None
    reason: str
    page: str
    line: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text.splitlines()[0]}"


@dataclass(frozen=True)
class Stop:
    """Ctrl-C in the terminal of the latest command in the background."""


Step = Command | Stop


def pages() -> Sequence[Path]:
    """The parts of the lesson, in order."""
    parts = [path for path in FOLDER.glob("*.md") if path.name[:2].isdigit()]
    return sorted(parts)


def steps(page: Path) -> list[Step]:
    """The steps of a page, in order. Raises PageError."""
    text = page.read_text("utf-8")
    found: list[Step] = []
    after_command = False
    for piece in _PIECE.finditer(text):
        line = text.count("\n", 0, piece.start()) + 1
        where = f"{page.name}:{line}"
        if piece["info"] is None:
            found.append(Stop())
            after_command = False
            continue
        language, _, how = piece["info"].strip().partition(" ")
        if language == "text":
            last = found[-1] if found else None
            if not after_command or not isinstance(last, Command):
                raise PageError(f"{where}: output of no command")
            found[-1] = Command(
                last.text, last.how, piece["body"], last.reason, last.page, last.line
            )
            after_command = False
        elif language == "sh":
            word, _, reason = how.partition(": ")
            if (word == "not-run") != bool(reason) or (word not in _RUN and not reason):
                raise PageError(f"{where}: {how!r} does not say how to run it")
            found.append(Command(piece["body"].rstrip("\n"), word, None, reason, page.name, line))
            after_command = True
        else:
            after_command = False
    return found


def matches(wanted: str, output: str) -> bool:
    """Whether an output is the one that a page shows. Raises PageError for an unknown field."""
    return re.fullmatch(_pattern(wanted), output) is not None


def begins(wanted: str, output: str) -> bool:
    """Whether an output begins with the one that a page shows."""
    return re.match(_pattern(wanted), output) is not None


def _pattern(wanted: str) -> str:
    pattern = ""
    for line in wanted.splitlines():
        if line.strip() == LINES:
            pattern += r"(?:[^\n]*\n)*?"
            continue
        for part in re.split(r"(<[a-z]+>)", line):
            name = part[1:-1]
            if re.fullmatch(r"<[a-z]+>", part):
                if name not in FIELDS:
                    raise PageError(f"<{name}> is none of {', '.join(FIELDS)}")
                pattern += f"(?:{FIELDS[name]})"
            else:
                pattern += re.escape(part)
        pattern += r"[ ]*\n"
    return pattern
