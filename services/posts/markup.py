"""Markdown to HTML that is safe to put into a page."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import nh3
from markdown_it import MarkdownIt

_TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "s", "code", "pre",
    "blockquote", "ul", "ol", "li", "a", "img", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "code": {"class"},
}
_SCHEMES = {"http", "https", "mailto"}
_REL = "nofollow ugc noopener"
_SHORT = 1_000
_NESTING = 20  # the time for unclosed brackets grows with it


class Markup:
    """CommonMark with tables, strikethrough and bare links; no HTML of the author's own.

    Twice safe: the parser escapes raw HTML and refuses script links, and the sanitiser lets only
    the tags, attributes and schemes above through, whatever the parser made.
    """

    def __init__(self) -> None:
        self._parser = MarkdownIt(
            "js-default", {"linkify": True, "html": False, "maxNesting": _NESTING}
        )
        self._cleaner = nh3.Cleaner(
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            url_schemes=_SCHEMES,
            link_rel=_REL,
            set_tag_attribute_values={"img": {"loading": "lazy", "referrerpolicy": "no-referrer"}},
            attribute_filter=_only_language_classes,
        )
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="markup")

    def close(self) -> None:
        """Wait for what is running, and end the thread."""
        self._threads.shutdown()

    async def render(self, text: str) -> str:
        """The HTML of a post. Long texts are rendered beside the event loop, since thousands of
        brackets in a row keep the parser busy for half a second."""
        if len(text) <= _SHORT:
            return self.to_html(text)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.to_html, text)

    def to_html(self, text: str) -> str:
        """The HTML of a post."""
        return self._cleaner.clean(self._parser.render(text))


def _only_language_classes(tag: str, attribute: str, value: str) -> str | None:
    if tag == "code" and attribute == "class":
        return value if value.startswith("language-") and " " not in value else None
    return value
