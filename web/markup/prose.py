"""The HTML of posts, prepared for the page as `prose` in static/post.js does."""

import re
from html import unescape
from typing import Final

from markupsafe import Markup

# In sanitised HTML, `<` always begins a tag, except in the values of attributes, which contain no
# `"`. A match takes a whole tag with its attributes, so none begins inside of a value.
_TAG: Final = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [a-z-]+="[^"]*")*) ?/?>')
_VOID: Final = frozenset({"br", "hr", "img", "input"})
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPACE: Final = re.compile(r"\s+")


def prepare(html: str, code: str, table: str) -> Markup:
    """A post's sanitised HTML for its place in the page: lists and quotations find their direction
    as paragraphs do, wide things scroll. `code` and `table` are the labels of their frames."""
    labels = {"pre": code, "table": table}
    depth = 0

    def change(tag: re.Match[str]) -> str:
        nonlocal depth
        closing, name, attributes = tag.groups()
        if closing:
            depth -= 1
            return f"{tag[0]}</div>" if name in labels else tag[0]
        if depth == 0:
            attributes += ' dir="auto"'
        if name not in _VOID:
            depth += 1
        if name in _HEADINGS:
            attributes += ' aria-level="2"'
        changed = f"<{name}{attributes}>"
        if name in labels:
            label = labels[name]
            return f'<div class="wide" tabindex="0" role="group" aria-label="{label}">{changed}'
        return changed

    return Markup(_TAG.sub(change, html))  # noqa: S704 - sanitised by the posts context


def plain(html: str, longest: int) -> str:
    """The text of sanitised HTML, in one line of at most `longest` characters."""
    text = _SPACE.sub(" ", unescape(_TAG.sub(" ", html))).strip()
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def beginning(html: str, longest: int) -> str:
    """The beginning of the text of sanitised HTML, as `beginning` in static/post.js returns it."""
    return _SPACE.sub(" ", unescape(_TAG.sub("", html))).strip()[:longest]


def in_xml(text: str) -> str:
    """The text without the characters that XML 1.0 does not allow (section 2.2)."""
    return _NOT_IN_XML.sub("", text)
