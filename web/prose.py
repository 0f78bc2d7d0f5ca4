"""The HTML of posts, prepared for the page as `prose` in static/post.js does."""

import re
from html import unescape
from typing import Final

from markupsafe import Markup

# In sanitised HTML, `<` always begins a tag, except in the values of attributes, which contain no
# `"`. A match takes a whole tag with its attributes, so none begins inside of a value.
_TAG: Final = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [a-z-]+="[^"]*")*) ?/?>')
_BLOCKS: Final = frozenset({"p", "li", "blockquote", "td", "th"})
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SPACE: Final = re.compile(r"\s+")


def prepare(html: str, code: str, table: str) -> Markup:
    """A post's sanitised HTML for its place in the page: each block finds its own direction, wide
    things scroll. `code` and `table` are the labels of their frames."""
    labels = {"pre": code, "table": table}

    def change(tag: re.Match[str]) -> str:
        closing, name, attributes = tag.groups()
        if name in labels:
            if closing:
                return f"{tag[0]}</div>"
            frame = f'<div class="wide" tabindex="0" role="group" aria-label="{labels[name]}">'
            return frame + tag[0]
        if closing:
            return tag[0]
        if name in _BLOCKS:
            return f'<{name}{attributes} dir="auto">'
        if name in _HEADINGS:
            return f'<{name}{attributes} dir="auto" aria-level="2">'
        return tag[0]

    return Markup(_TAG.sub(change, html))  # noqa: S704 - sanitised by the posts context


def plain(html: str, longest: int) -> str:
    """The text of sanitised HTML, in one line of at most `longest` characters."""
    text = _SPACE.sub(" ", unescape(_TAG.sub(" ", html))).strip()
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
