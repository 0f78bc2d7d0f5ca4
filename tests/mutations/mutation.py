"""Mutations of the board as data: plausible regressions, and the tests that should detect each.

A file `tests/mutations/AREA.toml` has one `[[mutation]]` a regression:

| key | value |
|---|---|
| `id` | a short name, unique in its area |
| `what` | what the mutated board does wrong, as a sentence |
| `file` | the file that is changed, relative to the root |
| `before`, `after` | a text that occurs once in the file, and its replacement |
| `tests` | what should detect it: arguments of pytest, and `*.test.js` files for Node |
| `survives` | only if no test detects it: the reason, which shows that nothing is wrong |
"""

import importlib.util
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Mutation:
    """One change to one file of the board. `tests` are arguments of pytest; at least one of them
    fails under the mutation, unless `survives` has the reason why nothing can notice it."""

    area: str
    id: str
    what: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    survives: str = ""

    def __str__(self) -> str:
        return f"{self.area}-{self.id}"

    def applied_to(self, text: str) -> str:
        """The file's text with the mutation. Raises `ValueError` unless `before` stands in it
        exactly once."""
        count = text.count(self.before)
        if count != 1 or self.before == self.after:
            raise ValueError(f"{self}: its text stands {count} times in {self.file}")
        return text.replace(self.before, self.after)

    @contextmanager
    def applied(self, root: Path) -> Iterator[None]:
        """Apply the mutation to a copy of the repository until the block ends. Raises
        `ValueError` as `applied_to` does."""
        path = root / self.file
        original = path.read_text(encoding="utf-8")
        try:
            _write(path, self.applied_to(original))
            yield
        finally:
            _write(path, original)


def mutations() -> list[Mutation]:
    """All mutations of all areas. Raises `TypeError` for a key that is missing or unknown."""
    return [
        Mutation(area=path.stem, **{**entry, "tests": tuple(entry["tests"])})
        for path in sorted(FOLDER.glob("*.toml"))
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutation"]
    ]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    if path.suffix == ".py":
        # Python compares modification times to the second only.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
