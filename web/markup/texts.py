"""The page's texts: those that only templates show, and those that the browser loads too."""

import json
import re
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).parents[1] / "static" / "text" / "en.js"
OF_TEMPLATES: Final = Path(__file__).parents[1] / "templates" / "en.json"

_STRING = r'"((?:[^"\\]|\\.)*)"'
_ENTRY = re.compile(
    rf"^  {_STRING}:\s*(?:{_STRING}|\{{\s*one:\s*{_STRING},\s*other:\s*{_STRING},?\s*\}}),$",
    re.MULTILINE,
)
_VALUE = re.compile(r"\{(\w+)\}")


class Texts:
    """The texts of a file like `text/en.js`: a string per key, or one for the number 1 and another
    for other numbers."""

    def __init__(self, source: str) -> None:
        self._texts: dict[str, tuple[str, str]] = {}
        for found in _ENTRY.finditer(source):
            one, other = found[3] or found[2] or "", found[4] or found[2] or ""
            self._texts[found[1]] = json.loads(f'"{one}"'), json.loads(f'"{other}"')

    @classmethod
    def load(cls) -> "Texts":
        """The texts in English."""
        texts = cls(FILE.read_text(encoding="utf-8"))
        of_templates = json.loads(OF_TEMPLATES.read_text(encoding="utf-8"))
        texts._texts |= {key: (text, text) for key, text in of_templates.items()}
        return texts

    @property
    def keys(self) -> frozenset[str]:
        """The keys that have a text."""
        return frozenset(self._texts)

    def text(self, key: str, **values: str | int) -> str:
        """The text of a key, with each `{name}` replaced by its value. `count` selects the form.
        Raises `KeyError` for an unknown key or a missing value."""
        one, other = self._texts[key]
        chosen = one if values.get("count") == 1 else other
        return _VALUE.sub(lambda found: _show(values[found[1]]), chosen)


def _show(value: str | int) -> str:
    return f"{value:,}" if isinstance(value, int) else value
